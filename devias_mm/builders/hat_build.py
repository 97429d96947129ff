"""Writing a HAT test set: frames, masks, backgrounds, annotations."""
from functools import partial
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from devias_mm.builders.hat import (
    KINDS,
    SwapRules,
    SwapVideo,
    area_range,
    check_swap_numbers,
    draw_swaps,
    mean_scene_scores,
    rank_classes,
    swap_pickle,
    video_key,
)
from devias_mm.builders.inpainting import human_only, remove_foreground
from devias_mm.builders.mask_quality import mask_quality
from devias_mm.builders.masks import MaskMaker, use_one_thread
from devias_mm.builders.media import FOREGROUND, read_frames, read_mask_values
from devias_mm.builders.output_folder import Job, OutputFolder, Outputs
from devias_mm.builders.videos import Video, video_state
from devias_mm.datasets.hat import LAYOUTS
from devias_mm.datasets.hat.layout import Frames
from devias_mm.datasets.hat.sources import frame_folder
from devias_mm.errors import UserError

HUMAN_ONLY = 'human_only'  #: folder; no release has it, the loaders paint the frames themselves
#: the published UCF-101 pickles hold strings where those of Kinetics hold integers
_STRINGS = ('devias-ucf101', )


class NamedVideo(NamedTuple):
    """A video with its key, ``class name/video``."""
    video: Video
    key: str


class HatOptions(NamedTuple):
    """How the frames are made.

    Attributes:
        layout: key of ``devias_mm.datasets.hat.LAYOUTS``.
        masks: folder that ``read_mask_values`` reads; ``None``: ``mask_maker`` makes them.
        mask_maker: makes the masks that no folder holds.
        inpainted: folder of an external inpainter, ``<name>/`` a video; ``None``:
            ``remove_foreground``.
        dilation: see ``remove_foreground``.
        window: see there.
        short_side: see ``read_frames``.
    """
    layout: str
    masks: Optional[str] = None
    mask_maker: MaskMaker = MaskMaker('people', {})
    inpainted: Optional[str] = None
    dilation: Optional[int] = None
    window: Optional[int] = None
    short_side: Optional[int] = None

    def read(self, video: Video) -> Tuple[np.ndarray, np.ndarray]:
        """Return frames, and masks: uint8 ``(T, H, W)``, above 128 is a person."""
        frames = read_frames(video.path, self.short_side)
        if self.masks is not None:
            return frames, read_mask_values(self.masks, video.name, frames)
        use_one_thread()
        return frames, 255 * self.mask_maker(video, frames).astype(np.uint8)

    def folder(self, frames: Frames, key: str) -> str:
        """Return where the frames of a video are, below the folder of the data set."""
        return frame_folder('', LAYOUTS[self.layout], frames, key).folder

    def state(self, named: NamedVideo, *more: object) -> list:
        """Return what the files of a video are made from."""
        return [named.key, *more, *video_state(named.video, [self.masks], [self.inpainted])]


def _backgrounds(video: Video, frames: np.ndarray, masks: np.ndarray,
                 options: HatOptions) -> np.ndarray:
    """Return Background-Only frames, built in or from elsewhere."""
    if options.inpainted is None:
        try:
            return remove_foreground(frames, masks, options.dilation, options.window)
        except UserError as error:
            raise UserError(f'{video.name}: {error}') from None
    found = read_frames(Path(options.inpainted, video.name))
    if found.shape != frames.shape:
        raise UserError(f'{video.name}: the inpainted frames {found.shape[:3]} (T, H, W) under '
                        f'{options.inpainted} do not fit the video, {frames.shape[:3]}. Resize '
                        'them, or give the --short-side that they were made with.')
    return found


def _separate(named: NamedVideo, outputs: Outputs, options: HatOptions) -> dict:
    """Write the three folders of one video."""
    layout = LAYOUTS[options.layout]
    frames, masks = options.read(named.video)
    backgrounds = _backgrounds(named.video, frames, masks, options)
    for where, content in ((layout.original, frames), (layout.masks, masks),
                           (layout.inpainted, backgrounds)):
        outputs.add_frames(options.folder(where, named.key), content, where.filename_tmpl,
                           where.first_number)
    low, high = area_range(masks)
    return dict(frames=len(frames), low=low, high=high,
                mean_colour=frames.mean(axis=(0, 1, 2)).tolist(),
                quality=mask_quality(frames, masks > FOREGROUND)._asdict())


def _paint_human_only(named: NamedVideo, outputs: Outputs, options: HatOptions,
                      colour: Tuple[int, int, int]) -> dict:
    frames, masks = options.read(named.video)
    where = LAYOUTS[options.layout].original._replace(folder=HUMAN_ONLY)
    outputs.add_frames(options.folder(where, named.key), human_only(frames, masks, colour),
                       where.filename_tmpl, where.first_number)
    return {}


def name_videos(videos: Sequence[Video], classes: Dict[int, str],
                layout: str) -> List[NamedVideo]:
    """Give every video its key, ``class name/video``.

    Raises:
        UserError: a label has no class, or two videos would get the same folder of the layout;
            the videos are named.
    """
    with_class = LAYOUTS[layout].with_class
    named = []
    folders: Dict[str, str] = {}
    for video in videos:
        if video.label not in classes:
            raise UserError(f'{video.name}: class {video.label} is none of --classes '
                            f'({min(classes)}..{max(classes)}).')
        key = video_key(video.name, classes[video.label])
        folder = key if with_class else key.split('/', 1)[1]
        if folder in folders:
            parts = 'class and file name' if with_class else 'file name alone'
            raise UserError(f'{folders[folder]} and {video.name} would both be {folder}: the '
                            f'layout {layout!r} tells videos apart by {parts}. Rename one, split '
                            'the list, or choose another --layout.')
        folders[folder] = video.name
        named.append(NamedVideo(video, key))
    return named


def separate_videos(build: OutputFolder, videos: Sequence[NamedVideo], options: HatOptions,
                    workers: int = 1) -> List[Optional[dict]]:
    """Write original frames, masks and backgrounds of all videos.

    Returns:
        list: of ``OutputFolder.run``: a report of each video, ``None`` where it was left out.
    """
    jobs = [Job(named.video.name, named, options.state(named)) for named in videos]
    return build.run('separate', jobs, partial(_separate, options=options), workers)


def write_human_only(build: OutputFolder, videos: Sequence[NamedVideo], options: HatOptions,
                     colour: Optional[Tuple[int, int, int]], reports: Sequence[dict],
                     workers: int = 1) -> Tuple[int, int, int]:
    """Write ``human_only/``; ``colour`` None takes the mean colour of all frames. Return it."""
    if colour is None:
        colours = [report['mean_colour'] for report in reports]
        frames = [report['frames'] for report in reports]
        colour = tuple(np.average(colours, axis=0, weights=frames).astype(int).tolist())
    jobs = [Job(named.video.name, named, options.state(named, colour)) for named in videos]
    build.run('human-only', jobs, partial(_paint_human_only, options=options, colour=colour),
              workers)
    return colour


def check_swaps(videos: Sequence[NamedVideo], classes: Dict[int, str], scene_scores: Optional[str],
                close: int, far: Optional[int]) -> None:
    """Check what :func:`write_annotations` will need, before any frame is made.

    Raises:
        UserError: ``close`` or ``far`` is not a number of other classes, or the scene scores
            do not go with the videos.
    """
    if scene_scores:
        check_swap_numbers(close, far, len(classes))
        _mean_scores(scene_scores, videos, [1] * len(videos), max(classes) + 1)


def _mean_scores(file: str, videos: Sequence[NamedVideo], frames: Sequence[int],
                 num_classes: int) -> np.ndarray:
    names = [named.video.name for named in videos]
    labels = [named.video.label for named in videos]
    return mean_scene_scores(file, names, labels, frames, num_classes)


def write_annotations(build: OutputFolder, videos: Sequence[NamedVideo], classes: Dict[int, str],
                      reports: Sequence[dict], layout: str, scene_scores: Optional[str],
                      seed: int, draws: int, rules: SwapRules) -> dict:
    """Write ``annotations/``: labels.csv, list.csv and the pickles of every kind.

    Args:
        build: where to.
        videos: what was separated.
        classes: names of the action classes.
        reports: of :func:`separate_videos`.
        layout: key of ``LAYOUTS``.
        scene_scores: see ``mean_scene_scores``; without it there is no close and no far.
        seed: of the swaps.
        draws: of each kind.
        rules: of the swaps; their ranking is made here.

    Returns:
        dict: counts for the manifest.
    """
    swap_videos = []
    for named, report in zip(videos, reports):
        swap_videos.append(SwapVideo(named.key, named.video.label, report['frames'],
                                     report['low'], report['high']))
    # as published: no newline at the end
    build.write('annotations/labels.csv',
                '\n'.join(f'{index},{name}' for index, name in sorted(classes.items())))
    build.write('annotations/list.csv',
                '\n'.join(_list_line(video, layout) for video in swap_videos))
    kinds = ('rand', 'same')
    if scene_scores:
        kinds = KINDS
        frames = [report['frames'] for report in reports]
        scores = _mean_scores(scene_scores, videos, frames, rules.num_classes)
        rules = rules._replace(ranking=rank_classes(scores))
        build.write('annotations/class_ranking.csv', _ranking_lines(rules.ranking, classes))
    number = str if layout in _STRINGS else int
    counts = {}
    for kind in kinds:
        for draw in range(1, draws + 1):
            pairs = draw_swaps(swap_videos, kind, draw, seed, rules)
            name = f'{kind}/actionswap_{kind}_{draw}'
            build.write(f'annotations/{name}.pickle', swap_pickle(pairs, number))
            counts[name] = len(pairs)
    return dict(videos=len(videos), pairs=counts, far=rules.far if scene_scores else None,
                foregrounds=sum(map(rules.is_foreground, swap_videos)))


def _list_line(video: SwapVideo, layout: str) -> str:
    name = video.key if LAYOUTS[layout].with_class else video.key.split('/', 1)[1]
    return f'{name} {video.frames} {video.label}'


def _ranking_lines(ranking: Sequence[List[int]], classes: Dict[int, str]) -> str:
    lines = []
    for label, order in enumerate(ranking):
        if order:
            names = [classes[other] for other in (label, *order)]
            lines.append(','.join(names) + '\n')
    return ''.join(lines)
