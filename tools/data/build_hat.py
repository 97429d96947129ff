"""Make a HAT test set: people and backgrounds apart, and pairs to swap them.

    python tools/data/build_hat.py --list LIST --data-root DIR --classes CLASSES --masks SEG \\
        --scene-scores TABLE.parquet --out OUT

writes the frames, masks and backgrounds in the layout of a published release, and
OUT/annotations/: labels.csv, list.csv and <kind>/actionswap_<kind>_<draw>.pickle for the kinds
rand, same and, given the predictions of a scene model, close and far; OUT/suite.py is for
tools/test_bias.py.
"""
from pathlib import Path

import numpy as np

from devias_mm.datasets.hat import LAYOUTS, ActionSwapClip, HumanOnlyClip
from devias_mm.datasets.hat.layout import read_swap_pairs
from devias_mm.datasets.hat.sources import frame_folder
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
from devias_mm.builders.hat import KINDS, read_classes, read_scene_scores
from devias_mm.builders.hat_build import (
    HatOptions,
    check_swaps,
    separate_videos,
    video_keys,
    write_annotations,
    write_human_only,
)
from devias_mm.builders.preview import contact_sheet, spread
from devias_mm.builders.ready_suite import write_hat_suite

#: which loader's composites go with a layout, as in the configs of the published sets
RULES = {'hat': 'hat', 'devias-kinetics': 'devias', 'devias-ucf101': 'devias'}


def parse_args():
    parser = make_parser(__doc__)
    add_source_arguments(parser)
    add_output_arguments(parser)
    parser.add_argument('--classes', required=True, metavar='FILE',
                        help='`index,class` lines, or one action class a line')
    parser.add_argument('--layout', choices=list(LAYOUTS), default='devias-kinetics',
                        help="folders and file names of which release (default: "
                        "devias-kinetics); 'hat' is the first one")
    frames = parser.add_argument_group('frames')
    frames.add_argument('--masks', required=True, metavar='DIR',
                        help='DIR/<video>/*.png, one per frame (tools/data/make_masks.py), or '
                        'the masks of a Puppets data set')
    frames.add_argument('--inpainted', metavar='DIR',
                        help='DIR/<video>/: frames of an external inpainter; default: the '
                        'background of other frames, and OpenCV where there is none')
    frames.add_argument('--dilation', type=int, metavar='PIXELS',
                        help='by how much masks grow before inpainting (default: a hundredth of '
                        'the short side, at least 1)')
    frames.add_argument('--window', type=int, metavar='FRAMES',
                        help='take the background from so many frames before and after, for a '
                        'camera that moves (default: the whole video)')
    frames.add_argument('--human-only', metavar='R,G,B',
                        help="also write human_only/ on this colour, or on the mean colour of "
                        "the 'dataset'; the published loader paints 123,116,103")
    swaps = parser.add_argument_group('swaps')
    swaps.add_argument('--scene-scores', metavar='FILE',
                       help='Parquet: video_id and the scene probabilities of every video')
    swaps.add_argument('--close', type=int, default=5,
                       help='closest classes that close draws from (default: 5)')
    swaps.add_argument('--far', type=int,
                       help='farthest classes that far draws from (default: half of them, that '
                       'is 200 of Kinetics-400; UCF-101 was made with 30)')
    swaps.add_argument('--draws', type=int, default=3, help='of each kind (default: 3)')
    swaps.add_argument('--area', type=float, nargs=2, default=(.05, .5), metavar='SHARE',
                       help='smallest and largest share of mask pixels that every frame of a '
                       'foreground video must have (default: 0.05 0.5)')
    swaps.add_argument('--background-area', type=float, default=0., metavar='SHARE',
                       help='smallest share of a background video (default: 0)')
    swaps.add_argument('--random-own-class', action='store_true',
                       help='rand may draw the own class, as in the published UCF-101 pairs')
    return parser.parse_args()


def parse_colour(text):
    """'dataset' -> None, 'R,G,B' -> three numbers."""
    if text == 'dataset':
        return None
    try:
        colour = tuple(int(value) for value in text.split(','))
    except ValueError:
        colour = ()
    if len(colour) != 3 or not all(0 <= value <= 255 for value in colour):
        raise UsageError(f"--human-only {text}: accepted is 'dataset', or R,G,B in 0..255.")
    return colour


def draw_preview(args, root, keys, classes):
    """Rows of people and backgrounds apart, and swapped, as the dataset composes them."""
    layout, indices = LAYOUTS[args.layout], {name: index for index, name in classes.items()}
    swaps = {}
    for kind in KINDS:
        file = root / 'annotations' / kind / f'actionswap_{kind}_1.pickle'
        if file.is_file():
            swaps[kind] = {item['video']: item
                           for item in read_swap_pairs(str(file), indices, max(classes) + 1)}
    # only those that can be swapped show every column
    swapped = [key for key in keys if all(key in pairs for pairs in swaps.values())]
    rows = []
    for key in [(swapped or keys)[index] for index in spread(len(swapped or keys), 6)]:
        sources = [frame_folder(str(root), layout, frames, key)
                   for frames in (layout.original, layout.masks, layout.inpainted)]
        sources.append(HumanOnlyClip(str(root), layout, key))
        sources += [ActionSwapClip(str(root), layout, key, pairs[key]['background'],
                                   pairs[key]['background_frames'], RULES[args.layout])
                    for pairs in swaps.values() if key in pairs]
        middle = np.array([sources[0].total_frames // 2])
        rows.append((key, [source.read(middle, 1)[0] for source in sources]))
    contact_sheet(args.preview, ['frame', 'mask', 'background only', 'human only', *swaps], rows)


def without_scene_scores(args, videos):
    """The videos without a scene prediction, if such may be left out."""
    if not args.scene_scores or args.on_error != 'skip':
        return {}
    known = set(read_scene_scores(args.scene_scores).index)
    return {video.name: f'{video.name}: no prediction in {args.scene_scores}'
            for video in videos if video.name not in known}


def main():
    args = parse_args()
    low, high = args.area
    if not 0 <= args.background_area <= low <= high <= 1:
        raise UsageError(f'--area {low} {high} --background-area {args.background_area}: '
                         'accepted are shares with 0 <= background <= low <= high <= 1.')
    if args.draws < 1:
        raise UsageError(f'--draws {args.draws}: accepted is an integer >= 1.')
    colour = parse_colour(args.human_only) if args.human_only else None
    videos, classes = source_videos(args), read_classes(args.classes)
    unscored = without_scene_scores(args, videos)
    if len(unscored) < len(videos):  # otherwise it is the wrong table
        videos = [video for video in videos if video.name not in unscored]
    keys = video_keys(videos, classes, args.layout)
    options = HatOptions(args.layout, args.masks, args.inpainted, args.dilation, args.window,
                         args.short_side)
    rules = dict(area=(low, high), background_low=args.background_area,
                 random_own_class=args.random_own_class)
    check_swaps(videos, classes, args.scene_scores, args.close, args.far)
    inputs = source_inputs(args, masks=args.masks, inpainted=args.inpainted,
                           scene_scores=args.scene_scores)
    build = Build(args.out, 'build_hat', dict(
        source_parameters(args), layout=args.layout, classes=input_digest(args.classes),
        dilation=args.dilation, window=args.window, human_only=args.human_only,
        close=args.close, far=args.far, draws=args.draws, **rules), args.on_error)
    build.left_out.update(unscored)
    reports, videos, keys = without_left_out(
        separate_videos(build, videos, keys, options, args.workers), videos, keys)
    summary = write_annotations(
        build, videos, keys, classes, reports, args.layout, args.scene_scores, args.seed,
        args.draws, args.close, args.far, **rules)
    if args.human_only:
        summary['human_only_colour'] = write_human_only(
            build, videos, keys, options, colour, reports, args.workers)
    write_hat_suite(build, max(classes) + 1, args.layout, RULES[args.layout], summary['pairs'])
    build.finish(inputs=inputs, **summary)
    print(f'{args.out}: {len(videos)} videos, {summary["foregrounds"]} of them have {low:.0%} to '
          f'{high:.0%} mask pixels in every frame.')
    for name, count in summary['pairs'].items():
        print(f'  annotations/{name}.pickle: {count} pairs')
    if args.scene_scores is None:
        print('  no close and far: they need --scene-scores')
    print_left_out(build.left_out)
    print(f'test a model on it: tools/test_bias.py CONFIG CHECKPOINT --suite {args.out}/suite.py')
    if args.preview:
        draw_preview(args, Path(args.out), keys, classes)
        print(f'contact sheet: {args.preview}')


if __name__ == '__main__':
    run_tool(main)
