"""Writing a HAT test set: frames, masks, backgrounds, annotations."""
from functools import partial
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from devias_mm.builders.build import Build, Result
from devias_mm.builders.hat import (
    KINDS,
    SwapVideo,
    area_range,
    draw_swaps,
    mean_scene_scores,
    rank_classes,
    swap_pickle,
    video_key,
)
from devias_mm.builders.inpainting import human_only, remove_foreground
from devias_mm.builders.media import (
    Video,
    read_frames,
    read_mask_values,
    video_sources,
    write_frames,
)
from devias_mm.datasets.hat import LAYOUTS
from devias_mm.datasets.hat.sources import frame_folder

HUMAN_ONLY = 'human_only'  #: folder; no release has it, the loaders paint the frames themselves
#: the published UCF-101 pickles hold strings where those of Kinetics hold integers
_STRINGS = ('devias-ucf101', )


class HatOptions(NamedTuple):
    """How the frames are made.

    Attributes:
        layout (str): key of ``devias_mm.datasets.hat.LAYOUTS``.
        masks (str): folder that ``read_mask_values`` reads.
        inpainted (str, optional): folder of an external inpainter, ``<name>/`` a video; none:
            ``remove_foreground``.
        dilation (int, optional): see ``remove_foreground``.
        window (int, optional): see there.
        short_side (int, optional): see ``read_frames``.
    """
    layout: str
    masks: str
    inpainted: Optional[str] = None
    dilation: Optional[int] = None
    window: Optional[int] = None
    short_side: Optional[int] = None


def _backgrounds(video: Video, frames: np.ndarray, masks: np.ndarray,
                 options: HatOptions) -> np.ndarray:
    """Background-Only frames, built in or from elsewhere."""
    if options.inpainted is None:
        try:
            return remove_foreground(frames, masks, options.dilation, options.window)
        except ValueError as error:
            raise ValueError(f'{video.name}: {error}') from None
    found = read_frames(Path(options.inpainted, video.name))
    if found.shape != frames.shape:
        raise ValueError(f'{video.name}: the inpainted frames {found.shape[:3]} (T, H, W) under '
                         f'{options.inpainted} do not fit the video, {frames.shape[:3]}. Resize '
                         'them, or give the --short-side that they were made with.')
    return found


def _separate(job: Tuple[Video, str], root: Path, options: HatOptions) -> Result:
    """Write the three folders of one video, given with its key."""
    video, key = job
    layout = LAYOUTS[options.layout]
    frames = read_frames(video.path, options.short_side)
    masks = read_mask_values(options.masks, video.name, frames)
    outputs = {}
    for where, content in ((layout.original, frames), (layout.masks, masks),
                           (layout.inpainted, _backgrounds(video, frames, masks, options))):
        folder = frame_folder('', layout, where, key).folder
        outputs[folder] = write_frames(root / folder, content, where.filename_tmpl,
                                       where.first_number)
    low, high = area_range(masks)
    return Result(outputs, dict(frames=len(frames), low=low, high=high,
                                mean_colour=frames.mean(axis=(0, 1, 2)).tolist()))


def _paint_human_only(job: Tuple[Video, str], root: Path, options: HatOptions,
                      colour: Tuple[int, int, int]) -> Result:
    video, key = job
    layout = LAYOUTS[options.layout]
    frames = read_frames(video.path, options.short_side)
    masks = read_mask_values(options.masks, video.name, frames)
    where = layout.original._replace(folder=HUMAN_ONLY)
    folder = frame_folder('', layout, where, key).folder
    digest = write_frames(root / folder, human_only(frames, masks, colour), where.filename_tmpl,
                          where.first_number)
    return Result({folder: digest}, {})


def video_keys(videos: List[Video], classes: Dict[int, str], layout: str) -> List[str]:
    """``class name/video`` of every video.

    Raises:
        ValueError: a label has no class, or two videos would get the same folder of the layout;
            the videos are named.
    """
    with_class = LAYOUTS[layout].with_class
    keys, folders = [], {}
    for video in videos:
        if video.label not in classes:
            raise ValueError(f'{video.name}: class {video.label} is none of --classes '
                             f'({min(classes)}..{max(classes)}).')
        key = video_key(video.name, classes[video.label])
        folder = key if with_class else key.split('/', 1)[1]
        if folder in folders:
            parts = 'class and file name' if with_class else 'file name alone'
            raise ValueError(f'{folders[folder]} and {video.name} would both be {folder}: the '
                             f'layout {layout!r} tells videos apart by {parts}. Rename one, split '
                             'the list, or choose another --layout.')
        folders[folder] = video.name
        keys.append(key)
    return keys


def _jobs(videos: List[Video], keys: List[str]) -> List[Tuple[str, object]]:
    return [(video.name, (video, key)) for video, key in zip(videos, keys)]


def separate_videos(build: Build, videos: List[Video], keys: List[str], options: HatOptions,
                    workers: int = 1) -> List[Optional[dict]]:
    """Write original frames, masks and backgrounds of all videos.

    Returns:
        list: of ``Build.run``: a report of each video, ``None`` where it was left out.
    """
    job = partial(_separate, root=build.root, options=options)
    return build.run('separate', _jobs(videos, keys), job, workers,
                     sources=_sources(videos, keys, options))


def _sources(videos: List[Video], keys: List[str], options: HatOptions, *more) -> List[list]:
    states = video_sources(videos, [options.masks], [options.inpainted])
    return [[key, *more, *state] for key, state in zip(keys, states)]


def write_human_only(build: Build, videos: List[Video], keys: List[str], options: HatOptions,
                     colour: Optional[Tuple[int, int, int]], reports: List[dict],
                     workers: int = 1) -> Tuple[int, int, int]:
    """Write ``human_only/``; ``colour`` None takes the mean colour of all frames. Returns it."""
    if colour is None:
        colour = tuple(int(value) for value in np.average(
            [report['mean_colour'] for report in reports], axis=0,
            weights=[report['frames'] for report in reports]))
    job = partial(_paint_human_only, root=build.root, options=options, colour=colour)
    build.run('human-only', _jobs(videos, keys), job, workers,
              sources=_sources(videos, keys, options, colour))
    return colour


def check_swaps(videos: List[Video], classes: Dict[int, str], scene_scores: Optional[str],
                close: int, far: Optional[int]) -> None:
    """Check what :func:`write_annotations` will need, before any frame is made.

    Raises:
        ValueError: ``close`` or ``far`` is not a number of other classes, or the scene scores
            do not go with the videos.
    """
    if not scene_scores:
        return
    for name, value in (('--close', close), ('--far', far)):
        if value is not None and not 1 <= value < len(classes):
            raise ValueError(f'{name} {value}: there are {len(classes)} classes, so accepted is '
                             f'1..{len(classes) - 1}.')
    mean_scene_scores(scene_scores, [video.name for video in videos],
                      [video.label for video in videos], [1] * len(videos), max(classes) + 1)


def write_annotations(build: Build, videos: List[Video], keys: List[str],
                      classes: Dict[int, str], reports: List[dict], layout: str,
                      scene_scores: Optional[str], seed: int, draws: int, close: int,
                      far: Optional[int], **rules) -> dict:
    """Write ``annotations/``: labels.csv, list.csv and the pickles of every kind.

    Args:
        build, videos, keys, classes: what was separated.
        reports (list[dict]): of :func:`separate_videos`.
        layout (str): key of ``LAYOUTS``.
        scene_scores (str, optional): see ``mean_scene_scores``; without it there is no close
            and no far.
        seed, draws, close: of the swaps.
        far (int, optional): none: half of the classes (Kinetics-400: 200).
        rules: further arguments of ``draw_swaps``; ``area`` among them.

    Returns:
        dict: counts for the manifest.
    """
    num_classes = max(classes) + 1
    far = len(classes) // 2 if far is None else far
    swap_videos = [SwapVideo(key, video.label, report['frames'], report['low'], report['high'])
                   for key, video, report in zip(keys, videos, reports)]
    # as published: no newline at the end
    build.write('annotations/labels.csv', '\n'.join(
        f'{index},{name}' for index, name in sorted(classes.items())))
    build.write('annotations/list.csv', '\n'.join(
        f'{video.key if LAYOUTS[layout].with_class else video.key.split("/", 1)[1]} '
        f'{video.frames} {video.label}' for video in swap_videos))
    ranking = None
    if scene_scores:
        ranking = rank_classes(mean_scene_scores(
            scene_scores, [video.name for video in videos], [video.label for video in videos],
            [report['frames'] for report in reports], num_classes))
        build.write('annotations/class_ranking.csv', ''.join(
            ','.join(classes[other] for other in [label, *order]) + '\n'
            for label, order in enumerate(ranking) if order))
    counts = {}
    for kind in KINDS if ranking else ('rand', 'same'):
        for draw in range(1, draws + 1):
            pairs = draw_swaps(swap_videos, kind, draw, seed, num_classes, ranking, close, far,
                               **rules)
            name = f'{kind}/actionswap_{kind}_{draw}'
            build.write(f'annotations/{name}.pickle',
                        swap_pickle(pairs, str if layout in _STRINGS else int))
            counts[name] = len(pairs)
    low, high = rules['area']
    return dict(videos=len(videos), pairs=counts, far=far if ranking else None,
                foregrounds=sum(low <= video.low and video.high <= high for video in swap_videos))
