"""Options that say how masks are made. Imports nothing heavy: ``--help`` answers at once."""
import argparse
import os

from devias_mm.builders.cli import check_at_least, input_digest
from devias_mm.errors import UsageError

#: keys of ``devias_mm.builders.masks.METHODS``
METHOD_NAMES = ('people', 'segformer', 'boxes', 'fame', 'motion')


def add_mask_options(parser: argparse.ArgumentParser) -> None:
    """Add the method and the options of each."""
    parser.add_argument('--method', choices=METHOD_NAMES,
                        help='default: segformer with --checkpoint, boxes with --boxes, otherwise '
                        'people')
    people = parser.add_argument_group('people')
    people.add_argument('--every', type=int, default=4, metavar='N',
                        help='look for people in every Nth frame (default: 4)')
    people.add_argument('--min-track-score', type=float, default=1.0, metavar='SCORE',
                        help="leave out people of a lower mean detector score (default: 1)")
    segformer = parser.add_argument_group('segformer')
    segformer.add_argument('--checkpoint', help='folder, or name of the Hugging Face hub')
    segformer.add_argument('--person-classes', type=int, nargs='+', default=[12],
                           help='class ids of people (default: 12, ADE20K)')
    boxes = parser.add_argument_group('boxes')
    boxes.add_argument('--boxes', metavar='FILE',
                       help='table of human boxes (docs/human_boxes.md)')
    boxes.add_argument('--min-score', type=float, default=0.0,
                       help='leave out boxes of a lower score (default: 0)')
    fame = parser.add_argument_group('fame')
    fame.add_argument('--clip-length', type=int, default=16, help='frames (default: 16)')
    fame.add_argument('--tau', type=float, default=0.5,
                      help='share of the pixels that are foreground (default: 0.5)')
    fame.add_argument('--seeds', type=float, nargs=2, default=(0.5, 0.1), metavar='SHARE',
                      help='foreground_seed and background_seed (default: 0.5 0.1)')
    fame.add_argument('--colours', choices=('clip', 'frame'), default='clip',
                      help='see FAMEMasks (default: clip)')
    motion = parser.add_argument_group('motion')
    motion.add_argument('--threshold', type=float, default=16.0,
                        help='squared Mahalanobis distance of foreground (default: 16)')
    motion.add_argument('--background-ratio', type=float, default=0.5,
                        help='share of the time that the background explains (default: 0.5)')
    motion.add_argument('--opening', type=int, default=2,
                        help='side of the kernel that removes specks, pixels (default: 2)')


def mask_method(args: argparse.Namespace) -> str:
    """Return the method: people, unless a model or boxes are at hand."""
    if args.method is not None:
        return args.method
    if args.checkpoint is not None:
        return 'segformer'
    if args.boxes is not None:
        return 'boxes'
    return 'people'


def check_mask_options(args: argparse.Namespace) -> None:
    """Check that the method has what it needs.

    Raises:
        UsageError: an option is missing, or has a bad value.
    """
    method = mask_method(args)
    if method == 'boxes' and args.boxes is None:
        raise UsageError('--method boxes needs --boxes.')
    if method == 'segformer' and args.checkpoint is None:
        raise UsageError('--method segformer needs --checkpoint.')
    if method == 'boxes' and args.short_side:
        raise UsageError('--short-side does not go with boxes, which are in original pixels.')
    check_at_least(args, every=1)


def mask_options(args: argparse.Namespace) -> dict:
    """Return the arguments of the method."""
    method = mask_method(args)
    if method == 'people':
        return dict(every=args.every, min_score=args.min_track_score)
    if method == 'segformer':
        return dict(checkpoint=args.checkpoint, person_classes=tuple(args.person_classes))
    if method == 'boxes':
        return dict(boxes_file=args.boxes, min_score=args.min_score)
    if method == 'fame':
        return dict(clip_length=args.clip_length, tau=args.tau, foreground_seed=args.seeds[0],
                    background_seed=args.seeds[1], colours=args.colours)
    return dict(threshold=args.threshold, background_ratio=args.background_ratio,
                opening=args.opening)


def mask_parameters(args: argparse.Namespace) -> dict:
    """Return what determines the masks; files by their checksum and not by their place."""
    options = mask_options(args)
    for name in ('boxes_file', 'checkpoint'):
        path = options.get(name)
        if path is not None and os.path.exists(path):
            options[name] = input_digest(path)
    return dict(method=mask_method(args), options=options)
