"""Make one foreground mask per frame of every video of a list.

    python tools/data/make_masks.py --list LIST --data-root DIR --out OUT --method fame

writes OUT/seg/<video>/000001.png ...: 255 = foreground, 0 = background. Methods: fame (motion and
colour, no model), motion (background subtraction, for a camera that does not move), boxes (a
table of human boxes), segformer (the person class; needs the extra `segformer`).
docs/building_test_sets.md tells how good they are.
"""
import os
from functools import partial
from pathlib import Path

from devias_mm.errors import UsageError
from devias_mm.builders.build import Build, without_left_out
from devias_mm.builders.cli import (
    add_output_arguments,
    add_source_arguments,
    input_digest,
    make_parser,
    print_left_out,
    run_tool,
    source_inputs,
    source_parameters,
    source_videos,
)
from devias_mm.builders.masks import METHODS, make_masks
from devias_mm.builders.media import read_frames, read_mask_values, video_sources
from devias_mm.builders.preview import contact_sheet, spread


def parse_args():
    parser = make_parser(__doc__)
    add_source_arguments(parser)
    add_output_arguments(parser)
    parser.add_argument('--method', choices=list(METHODS), default='fame')
    fame = parser.add_argument_group('fame')
    fame.add_argument('--clip-length', type=int, default=16, help='frames (default: 16)')
    fame.add_argument('--tau', type=float, default=.5,
                      help='share of the pixels that are foreground (default: 0.5)')
    fame.add_argument('--seeds', type=float, nargs=2, default=(.5, .1), metavar='SHARE',
                      help='foreground_seed and background_seed (default: 0.5 0.1)')
    fame.add_argument('--colours', choices=('clip', 'frame'), default='clip',
                      help='see FAMEMasks (default: clip)')
    motion = parser.add_argument_group('motion')
    motion.add_argument('--threshold', type=float, default=16.,
                        help='squared Mahalanobis distance of foreground (default: 16)')
    motion.add_argument('--background-ratio', type=float, default=.5,
                        help='share of the time that the background explains (default: 0.5)')
    motion.add_argument('--opening', type=int, default=2,
                        help='side of the kernel that removes specks, pixels (default: 2)')
    boxes = parser.add_argument_group('boxes')
    boxes.add_argument('--boxes', metavar='FILE',
                       help='table of human boxes (docs/human_boxes.md)')
    boxes.add_argument('--min-score', type=float, default=0.,
                       help='leave out boxes of a lower score (default: 0)')
    segformer = parser.add_argument_group('segformer')
    segformer.add_argument('--checkpoint', help='folder, or name of the Hugging Face hub')
    segformer.add_argument('--person-classes', type=int, nargs='+', default=[12],
                           help='class ids of people (default: 12, ADE20K)')
    return parser.parse_args()


def method_options(args):
    """Arguments of the mask function."""
    if args.method == 'fame':
        return dict(clip_length=args.clip_length, tau=args.tau, foreground_seed=args.seeds[0],
                    background_seed=args.seeds[1], colours=args.colours)
    if args.method == 'motion':
        return dict(threshold=args.threshold, background_ratio=args.background_ratio,
                    opening=args.opening)
    if args.method == 'boxes':
        return dict(boxes_file=args.boxes, min_score=args.min_score)
    return dict(checkpoint=args.checkpoint, person_classes=tuple(args.person_classes))


def draw_preview(args, videos):
    rows = []
    for index in spread(len(videos), 6):
        frames = read_frames(videos[index].path, args.short_side)
        masks = read_mask_values(Path(args.out, 'seg'), videos[index].name, frames)
        rows.append((videos[index].name,
                     [picture for t in spread(len(frames), 4)
                      for picture in (frames[t], masks[t])]))
    contact_sheet(args.preview, ['frame', 'mask'] * 4, rows)


def main():
    args = parse_args()
    for needed in dict(boxes=['boxes'], segformer=['checkpoint']).get(args.method, []):
        if getattr(args, needed) is None:
            raise UsageError(f'--method {args.method} needs --{needed}.')
    if args.method == 'boxes' and args.short_side:
        raise UsageError('--short-side does not go with boxes, which are in original pixels.')
    videos, options = source_videos(args), method_options(args)
    settings = dict(options)
    for path in ('boxes_file', 'checkpoint'):
        if os.path.exists(settings.get(path) or ''):
            settings[path] = input_digest(settings[path])
    inputs = source_inputs(args)
    build = Build(args.out, 'make_masks',
                  dict(source_parameters(args), method=args.method, options=settings),
                  args.on_error)
    job = partial(make_masks, method=args.method, options=options, root=build.root,
                  short_side=args.short_side)
    reports, videos = without_left_out(
        build.run('masks', [(video.name, video) for video in videos], job, args.workers,
                  sources=video_sources(videos)), videos)
    areas = [report['area'] for report in reports]
    build.finish(inputs=inputs, videos=len(videos), mean_area=sum(areas) / len(areas))
    print(f'{args.out}/seg: masks of {len(videos)} videos, {sum(areas) / len(areas):.1%} of the '
          f'pixels, {sum(area == 0 for area in areas)} videos without any.')
    print_left_out(build.left_out)
    if args.preview:
        draw_preview(args, videos)
        print(f'contact sheet: {args.preview}')


if __name__ == '__main__':
    run_tool(main)
