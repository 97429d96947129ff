"""Make a SCUBA test set: people of a list's videos in front of pictures.

    python tools/data/build_scuba.py --list LIST --data-root DIR --masks SEG --stripes --out OUT

writes OUT/scuba/<video>__<number>/img_00001.jpg ... and OUT/annotations/test.csv; with --scufo also
OUT/scufo/, one frame of each clip repeated; OUT/suite.py is for tools/test_bias.py. People come
from masks (the segmentation rule: masks are smoothed over neighbouring frames, videos with too
small ones are left out) or from boxes (the box rule).
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
from devias_mm.cli import run_tool
from devias_mm.errors import UsageError

STILL_FRAMES = ('middle', 'random')


def add_arguments(parser):
    add_source_options(parser)
    add_output_options(parser)
    people = parser.add_argument_group('people')
    people.add_argument('--masks', metavar='DIR', help='DIR/<video>/*.png, one per frame')
    people.add_argument('--class-ids', type=int, nargs='+', default=[],
                        help='the masks hold class ids, and these are people (the published '
                        'Kinetics set: 60 130); default: grey levels, above 128 is foreground')
    people.add_argument('--saliency', metavar='DIR',
                        help='further masks, any non-zero value is foreground')
    people.add_argument('--smoothing', type=int, default=1, metavar='FRAMES',
                        help='unite each mask with those of so many frames before and after '
                        '(default: 1, as published; 0 for videos of few frames a second)')
    people.add_argument('--boxes', metavar='FILE',
                        help='table of human boxes (docs/human_boxes.md), for the box rule')
    people.add_argument('--all-people', action='store_true',
                        help='by the box rule keep all boxes of a frame; default: the first in '
                        'the table alone, as the released sets were made')
    people.add_argument('--min-area', type=float, default=0.1,
                        help='share of a frame that the mask must cover (default: 0.1) ...')
    people.add_argument('--min-frames', type=float, default=0.9,
                        help='... in this share of the frames (default: 0.9)')
    scenes = parser.add_argument_group('backgrounds')
    scenes.add_argument('--backgrounds', metavar='DIR', help='folder of images')
    scenes.add_argument('--stripes', action='store_true', help='generated sinusoidal stripes')
    scenes.add_argument('--per-video', type=int, default=1,
                        help='backgrounds of a video (default: 1 as for Kinetics; UCF-101: 5)')
    form = parser.add_argument_group('form')
    form.add_argument('--format', choices=('frames', 'video'), default='frames')
    form.add_argument('--fps', type=int, default=30, help='of --format video (default: 30)')
    form.add_argument('--scufo', action='store_true', help='also write static clips')
    form.add_argument('--scufo-frame', choices=STILL_FRAMES, default='middle',
                      help='the frame that a static clip repeats; random: drawn from --seed and '
                      "the clip's name (default: middle)")
    form.add_argument('--num-classes', type=int, metavar='N',
                      help="of the models that suite.py is for (default: the list's highest "
                      'label and 1)')
    form.add_argument('--flat', action='store_true',
                      help='name clips without the folder of the video, as for UCF-101')


def check(args):
    if (args.masks is None) == (args.boxes is None):
        raise UsageError('give either --masks or --boxes: one of them says where the people are.')
    if (args.backgrounds is None) != args.stripes:
        raise UsageError('give either --backgrounds DIR or --stripes.')
    if args.masks is None and (args.class_ids or args.saliency):
        raise UsageError('--class-ids and --saliency go with --masks.')
    if args.boxes is None and args.all_people:
        raise UsageError('--all-people goes with --boxes.')
    if args.boxes and args.short_side:
        raise UsageError('--short-side does not go with --boxes, which are in original pixels.')
    for option in ('min_area', 'min_frames'):
        share = getattr(args, option)
        if not 0 <= share <= 1:
            raise UsageError(f'--{option.replace("_", "-")} {share}: accepted is a share in '
                             '[0, 1].')
    check_at_least(args, per_video=1, fps=1, smoothing=0, num_classes=1)


def clip_names(videos, flat):
    """Return what the clips of each video are named after."""
    if not flat:
        return [video.name for video in videos]
    names = []
    for video in videos:
        name = video.name.rsplit('/', 1)[-1]
        if name in names:
            raise UsageError(f'--flat: {name} is the name of several videos.')
        names.append(name)
    return names


def background_images(args):
    """Return the image files of --backgrounds; none for stripes."""
    import os

    from devias_mm.builders.media import image_files
    if args.backgrounds is None:
        return []
    if not os.path.isdir(args.backgrounds):
        raise UsageError(f'--backgrounds {args.backgrounds} is no folder.')
    images = [str(file) for file in image_files(args.backgrounds)]
    if not images:
        raise UsageError(f'--backgrounds {args.backgrounds} holds no image.')
    if args.per_video > len(images):
        raise UsageError(f'--per-video {args.per_video}: the folder of backgrounds holds '
                         f'{len(images)} images.')
    return images


def draw_preview(args, root):
    from devias_mm.builders.media import read_frames
    from devias_mm.pictures import Row, contact_sheet, spread
    kinds = ['scuba', 'scufo'] if args.scufo else ['scuba']
    lines = (root / 'annotations' / 'test.csv').read_text().splitlines()
    rows = []
    for index in spread(len(lines), 6):
        clip = lines[index].rsplit(None, 1 if args.format == 'video' else 2)[0]
        pictures = []
        for kind in kinds:
            frames = read_frames(root / kind / clip)
            pictures += [frames[t] for t in spread(len(frames), 4)]
        rows.append(Row(clip, pictures))
    contact_sheet(args.preview, ['scuba'] * 4 + ['scufo'] * 4, rows)


def number_of_classes(args, videos):
    """Return how many classes the models have that the set is for."""
    needed = max(video.label for video in videos) + 1
    if args.num_classes is None:
        return needed
    if args.num_classes < needed:
        raise UsageError(f'--num-classes {args.num_classes}: the list has labels up to '
                         f'{needed - 1}.')
    return args.num_classes


def main(args):
    from devias_mm.builders.boxes import read_video_boxes
    from devias_mm.builders.output_folder import OutputFolder
    from devias_mm.builders.ready_suite import write_scuba_suite
    from devias_mm.builders.scuba import ScubaOptions, ScubaVideo, make_scuba
    check(args)
    videos = source_videos(args)
    names = clip_names(videos, args.flat)
    num_classes = number_of_classes(args, videos)
    images = background_images(args)
    boxes = read_video_boxes(args.boxes) if args.boxes else {}
    options = ScubaOptions(
        masks=args.masks, class_ids=tuple(args.class_ids), saliency=args.saliency,
        smoothing=args.smoothing, all_people=args.all_people, backgrounds=tuple(images),
        per_video=args.per_video, seed=args.seed, video_files=args.format == 'video',
        fps=args.fps, scufo=args.scufo, scufo_frame=args.scufo_frame, min_area=args.min_area,
        min_frames=args.min_frames, short_side=args.short_side)
    # masks and boxes are no parameters: those of a video count, when it is made
    settings = dict(options._asdict(), masks=args.masks is not None,
                    saliency=args.saliency is not None, flat=args.flat,
                    backgrounds=input_digest(args.backgrounds))
    inputs = source_inputs(args, masks=args.masks, saliency=args.saliency, boxes=args.boxes)
    settings = {**settings, **tool_parameters(args, 'build_scuba')}
    build = OutputFolder(args.out, settings, args.on_error)
    sources = [ScubaVideo(video, name, boxes.get(video.name))
               for video, name in zip(videos, names)]
    summary = dict(make_scuba(build, sources, options, args.workers), num_classes=num_classes)
    write_scuba_suite(build, num_classes, options.video_files, options.scufo)
    build.finish(inputs=inputs, **summary)
    print(f'{args.out}: {summary["clips"]} clips of {summary["kept"]} videos; '
          f'{summary["videos"] - summary["kept"]} videos left out, their people are too small or '
          'not annotated.')
    print_left_out(build.left_out)
    print(f'test a model on it: tools/test_bias.py CONFIG CHECKPOINT --suite {args.out}/suite.py')
    if args.preview:
        draw_preview(args, build.root)
        print(f'contact sheet: {args.preview}')


if __name__ == '__main__':
    run_tool(main, add_arguments, __doc__)
