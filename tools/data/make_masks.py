"""Make one foreground mask per frame of every video of a list.

    python tools/data/make_masks.py --list LIST --data-root DIR --out OUT

writes OUT/seg/<video>/000001.png ...: 255 = foreground, 0 = background. Methods: people (OpenCV's
person detector and GrabCut, no model file; the default), segformer (the person class, the default
with --checkpoint; needs the extra `segformer`), boxes (a table of human boxes, the default with
--boxes), fame (motion and colour, whatever moves), motion (background subtraction, for a camera
that does not move). docs/building_test_sets.md tells how good they are; a warning says which
videos' masks are suspicious.
"""
from functools import partial
from pathlib import Path

from devias_mm.builders.cli import (
    add_output_options,
    add_source_options,
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


def add_arguments(parser):
    add_source_options(parser)
    add_output_options(parser)
    add_mask_options(parser)


def draw_preview(args, videos):
    from devias_mm.builders.media import read_frames, read_mask_values
    from devias_mm.pictures import Row, contact_sheet, spread
    rows = []
    for index in spread(len(videos), 6):
        video = videos[index]
        frames = read_frames(video.path, args.short_side)
        masks = read_mask_values(Path(args.out, 'seg'), video.name, frames)
        pictures = []
        for t in spread(len(frames), 4):
            pictures += [frames[t], masks[t]]
        rows.append(Row(video.name, pictures))
    contact_sheet(args.preview, ['frame', 'mask'] * 4, rows)


def main(args):
    from devias_mm.builders.mask_quality import quality_warnings
    from devias_mm.builders.masks import MaskMaker, write_video_masks
    from devias_mm.builders.output_folder import Job, OutputFolder, without_left_out
    from devias_mm.builders.videos import video_state
    check_mask_options(args)
    videos = source_videos(args)
    inputs = source_inputs(args)
    build = OutputFolder(
        args.out, tool_parameters(args, 'make_masks', **mask_parameters(args)), args.on_error)
    maker = MaskMaker(mask_method(args), mask_options(args))
    work = partial(write_video_masks, maker=maker, short_side=args.short_side)
    jobs = [Job(video.name, video, video_state(video)) for video in videos]
    reports = build.run('masks', jobs, work, args.workers)
    reports, videos = without_left_out(reports, videos)
    qualities = {video.name: report['quality'] for video, report in zip(videos, reports)}
    areas = [quality['area'] for quality in qualities.values()]
    mean_area = sum(areas) / len(areas)
    build.finish(inputs=inputs, videos=len(videos), mean_area=mean_area, quality=qualities)
    print(f'{args.out}/seg: masks of {len(videos)} videos by {maker.method}, {mean_area:.1%} of '
          f'the pixels, {areas.count(0)} videos without any.')
    for line in quality_warnings(list(qualities), list(qualities.values())):
        print(line)
    print_left_out(build.left_out)
    if args.preview:
        draw_preview(args, videos)
        print(f'contact sheet: {args.preview}')


if __name__ == '__main__':
    run_tool(main, add_arguments, __doc__)
