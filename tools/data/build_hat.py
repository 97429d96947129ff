"""Make a HAT test set: people and backgrounds apart, and pairs to swap them.

    python tools/data/build_hat.py --list LIST --data-root DIR --classes CLASSES --masks SEG \\
        --scene-scores TABLE.parquet --out OUT

writes the frames, masks and backgrounds in the layout of a published release, and
OUT/annotations/: labels.csv, list.csv and <kind>/actionswap_<kind>_<draw>.pickle for the kinds
rand, same and, given the predictions of a scene model, close and far; OUT/suite.py is for
tools/test_bias.py. Without --masks the masks are those of people, made on the way as
tools/data/make_masks.py does it.
"""
from devias_mm.builders.cli import (
    add_output_options,
    add_source_options,
    check_at_least,
    input_digest,
    print_left_out,
    source_inputs,
    source_videos,
    tool_parameters,
)
from devias_mm.builders.mask_options import (
    add_mask_options,
    check_mask_options,
    mask_method,
    mask_options,
    mask_parameters,
)
from devias_mm.cli import run_tool
from devias_mm.errors import UsageError

#: which loader's composites go with a layout, as in the configs of the published sets
RULES = {'hat': 'hat', 'devias-kinetics': 'devias', 'devias-ucf101': 'devias'}


def add_arguments(parser):
    add_source_options(parser)
    add_output_options(parser)
    parser.add_argument('--classes', required=True, metavar='FILE',
                        help='`index,class` lines, or one action class a line')
    parser.add_argument('--layout', choices=list(RULES), default='devias-kinetics',
                        help="folders and file names of which release (default: "
                        "devias-kinetics); 'hat' is the first one")
    frames = parser.add_argument_group('frames')
    frames.add_argument('--masks', metavar='DIR',
                        help='DIR/<video>/*.png, one per frame (tools/data/make_masks.py), or '
                        'the masks of a Puppets data set; default: made by --method')
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
    swaps.add_argument('--area', type=float, nargs=2, default=(0.05, 0.5), metavar='SHARE',
                       help='smallest and largest share of mask pixels that every frame of a '
                       'foreground video must have (default: 0.05 0.5)')
    swaps.add_argument('--background-area', type=float, default=0.0, metavar='SHARE',
                       help='smallest share of a background video (default: 0)')
    swaps.add_argument('--random-own-class', action='store_true',
                       help='rand may draw the own class, as in the published UCF-101 pairs')
    add_mask_options(parser)


def check(args):
    low, high = args.area
    if not 0 <= args.background_area <= low <= high <= 1:
        raise UsageError(f'--area {low} {high} --background-area {args.background_area}: '
                         'accepted are shares with 0 <= background <= low <= high <= 1.')
    check_at_least(args, draws=1, dilation=0, window=1)
    if args.masks is None:
        check_mask_options(args)


def parse_colour(text):
    """'dataset' -> None, 'R,G,B' -> three numbers."""
    if text is None or text == 'dataset':
        return None
    try:
        colour = tuple(int(value) for value in text.split(','))
    except ValueError:
        colour = ()
    if len(colour) != 3 or not all(0 <= value <= 255 for value in colour):
        raise UsageError(f"--human-only {text}: accepted is 'dataset', or R,G,B in 0..255.")
    return colour


def first_draws(root, classes):
    """Return the pairs of the first draw of each kind that was made, by the person's key."""
    from devias_mm.builders.hat import KINDS
    from devias_mm.datasets.hat.layout import read_swap_pairs
    indices = {name: index for index, name in classes.items()}
    swaps = {}
    for kind in KINDS:
        file = root / 'annotations' / kind / f'actionswap_{kind}_1.pickle'
        if file.is_file():
            pairs = read_swap_pairs(str(file), indices, max(classes) + 1)
            swaps[kind] = {pair['video']: pair for pair in pairs}
    return swaps


def draw_preview(args, root, keys, swaps):
    """Draw rows of people and backgrounds apart, and swapped, as the dataset composes them."""
    import numpy as np

    from devias_mm.datasets.hat import LAYOUTS, ActionSwapClip, HumanOnlyClip
    from devias_mm.datasets.hat.sources import frame_folder
    from devias_mm.pictures import Row, contact_sheet, spread
    layout = LAYOUTS[args.layout]
    # only those that can be swapped show every column
    complete = []
    for key in keys:
        if all(key in pairs for pairs in swaps.values()):
            complete.append(key)
    shown = complete or keys
    rows = []
    for index in spread(len(shown), 6):
        key = shown[index]
        sources = [frame_folder(str(root), layout, frames, key)
                   for frames in (layout.original, layout.masks, layout.inpainted)]
        sources.append(HumanOnlyClip(str(root), layout, key))
        for pairs in swaps.values():
            if key in pairs:
                sources.append(ActionSwapClip(
                    str(root), layout, key, pairs[key]['background'],
                    pairs[key]['background_frames'], RULES[args.layout]))
        middle = np.array([sources[0].total_frames // 2])
        rows.append(Row(key, [source.read(middle, 1)[0] for source in sources]))
    titles = ['frame', 'mask', 'background only', 'human only', *swaps]
    contact_sheet(args.preview, titles, rows)


def without_scene_scores(args, videos):
    """Return why videos without a scene prediction are left out, if they may be."""
    from devias_mm.builders.hat import read_scene_scores
    if not args.scene_scores or args.on_error != 'skip':
        return {}
    known = set(read_scene_scores(args.scene_scores).index)
    reasons = {}
    for video in videos:
        if video.name not in known:
            reasons[video.name] = f'{video.name}: no prediction in {args.scene_scores}'
    if len(reasons) == len(videos):  # it is the wrong table
        return {}
    return reasons


def main(args):
    from devias_mm.builders import hat_build
    from devias_mm.builders.hat import SwapRules, read_classes
    from devias_mm.builders.mask_quality import quality_warnings
    from devias_mm.builders.masks import MaskMaker
    from devias_mm.builders.output_folder import OutputFolder, without_left_out
    from devias_mm.builders.ready_suite import write_hat_suite
    check(args)
    colour = parse_colour(args.human_only)
    videos = source_videos(args)
    classes = read_classes(args.classes)
    unscored = without_scene_scores(args, videos)
    videos = [video for video in videos if video.name not in unscored]
    videos = hat_build.name_videos(videos, classes, args.layout)
    hat_build.check_swaps(videos, classes, args.scene_scores, args.close, args.far)
    far = len(classes) // 2 if args.far is None else args.far
    rules = SwapRules(max(classes) + 1, close=args.close, far=far, area=tuple(args.area),
                      background_low=args.background_area,
                      random_own_class=args.random_own_class)
    inputs = source_inputs(args, masks=args.masks, inpainted=args.inpainted,
                           scene_scores=args.scene_scores)
    masks = dict(method='files') if args.masks else mask_parameters(args)
    build = OutputFolder(args.out, tool_parameters(
        args, 'build_hat', layout=args.layout, classes=input_digest(args.classes),
        dilation=args.dilation, window=args.window, human_only=args.human_only,
        draws=args.draws, close=args.close, far=args.far, area=args.area,
        background_low=args.background_area, random_own_class=args.random_own_class,
        masks=masks), args.on_error)
    build.left_out.update(unscored)
    options = hat_build.HatOptions(
        args.layout, args.masks, MaskMaker(mask_method(args), mask_options(args)),
        args.inpainted, args.dilation, args.window, args.short_side)
    reports = hat_build.separate_videos(build, videos, options, args.workers)
    reports, videos = without_left_out(reports, videos)
    summary = hat_build.write_annotations(build, videos, classes, reports, args.layout,
                                          args.scene_scores, args.seed, args.draws, rules)
    if args.human_only:
        summary['human_only_colour'] = hat_build.write_human_only(
            build, videos, options, colour, reports, args.workers)
    write_hat_suite(build, rules.num_classes, args.layout, RULES[args.layout], summary['pairs'])
    qualities = {named.video.name: report['quality'] for named, report in zip(videos, reports)}
    build.finish(inputs=inputs, quality=qualities, **summary)
    low, high = rules.area
    print(f'{args.out}: {len(videos)} videos, {summary["foregrounds"]} of them have {low:.0%} to '
          f'{high:.0%} mask pixels in every frame.')
    for name, count in summary['pairs'].items():
        print(f'  annotations/{name}.pickle: {count} pairs')
    if args.scene_scores is None:
        print('  no close and far: they need --scene-scores')
    for line in quality_warnings(list(qualities), list(qualities.values())):
        print(line)
    print_left_out(build.left_out)
    print(f'test a model on it: tools/test_bias.py CONFIG CHECKPOINT --suite {args.out}/suite.py')
    if args.preview:
        draw_preview(args, build.root, [named.key for named in videos],
                     first_draws(build.root, classes))
        print(f'contact sheet: {args.preview}')


if __name__ == '__main__':
    run_tool(main, add_arguments, __doc__)
