"""SCUBA and SCUFO: people in front of pictures (Li et al., ICCV 2023)."""
from functools import partial
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from PIL import Image

from devias_mm.builders.build import Build, Result, without_left_out
from devias_mm.builders.masks import Box, box_masks
from devias_mm.builders.media import (
    FOREGROUND,
    Video,
    read_frames,
    read_image,
    read_mask_values,
    video_sources,
    write_frames,
)
from devias_mm.builders.puppets.files import write_video
from devias_mm.builders.stripes import NUM_DRAWS, stripe_image
from devias_mm.datasets.frame_folders import stable_rng, still_index

FILENAME_TMPL = 'img_{:05d}.jpg'  #: of a clip's frames, from 1; the default of its reader


def smooth_masks(masks: np.ndarray, reach: int = 1) -> np.ndarray:
    """The union of the masks of frames t - reach .. t + reach, where they exist.

    Args:
        masks (np.ndarray): bool ``(T, H, W)``.
        reach (int): frames to each side; 1 as published, 0 leaves the masks as they are.
    """
    union = masks.copy()
    for step in range(1, min(reach, len(masks) - 1) + 1):
        union[step:] |= masks[:-step]
        union[:-step] |= masks[step:]
    return union


def is_valid(masks: np.ndarray, min_area: float = .1, min_frames: float = .9) -> bool:
    """Whether the masks cover enough of enough frames.

    Args:
        masks (np.ndarray): bool ``(T, H, W)``, smoothed.
        min_area (float): share of a frame that its mask must cover, in [0, 1].
        min_frames (float): share of the frames that must be covered so.
    """
    covered = masks.mean(axis=(1, 2)) >= min_area
    return bool(covered.sum() >= min_frames * len(masks))


def composite(frames: np.ndarray, masks: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Put the masked pixels in front of a picture, scaled (bicubic) to the frame.

    Args:
        frames (np.ndarray): RGB uint8 ``(T, H, W, 3)``.
        masks (np.ndarray): bool ``(T, H, W)``.
        background (np.ndarray): RGB uint8 ``(h, w, 3)``.
    """
    height, width = frames.shape[1:3]
    picture = np.asarray(
        Image.fromarray(background).resize((width, height), Image.Resampling.BICUBIC))
    return np.where(masks[..., None], frames, picture)


def annotated_span(boxes: Sequence[Box]) -> Tuple[int, int]:
    """First and last frame with a box, over all persons of a video; counted from 0."""
    numbers = [int(box.frame) for box in boxes]
    return min(numbers), max(numbers)


class ScubaOptions(NamedTuple):
    """How the clips are made.

    Attributes:
        masks (str, optional): folder that ``read_mask_values`` reads.
        class_ids (tuple[int]): the masks hold class ids, and these are people; empty: they hold
            grey levels, above 128 is foreground.
        saliency (str, optional): folder of further masks, any non-zero value is foreground.
        smoothing (int): reach of ``smooth_masks``.
        backgrounds (tuple[str]): image files; empty: stripes.
        per_video (int): backgrounds of a video.
        seed (int): of the draws.
        video_files (bool): write mp4 files and not frames.
        fps (int): of the mp4 files.
        scufo (bool): also write a clip of one frame, repeated.
        scufo_frame (str): which one, see :func:`~devias_mm.datasets.frame_folders.still_index`.
        min_area, min_frames: see :func:`is_valid`.
        short_side (int, optional): see ``read_frames``.
    """
    masks: Optional[str] = None
    class_ids: Tuple[int, ...] = ()
    saliency: Optional[str] = None
    smoothing: int = 1
    backgrounds: Tuple[str, ...] = ()
    per_video: int = 1
    seed: int = 0
    video_files: bool = False
    fps: int = 30
    scufo: bool = False
    scufo_frame: str = 'middle'
    min_area: float = .1
    min_frames: float = .9
    short_side: Optional[int] = None


def draw_backgrounds(name: str, options: ScubaOptions) -> List[np.ndarray]:
    """The backgrounds of a video, from random numbers of its own.

    Returns:
        list[np.ndarray]: RGB uint8; pictures of the folder are all different.
    """
    rng = stable_rng(options.seed, name)
    if not options.backgrounds:
        return [stripe_image(rng.random(NUM_DRAWS)) for _ in range(options.per_video)]
    chosen = rng.choice(len(options.backgrounds), options.per_video, replace=False)
    return [read_image(options.backgrounds[index]) for index in chosen]


def foreground(frames: np.ndarray, name: str, options: ScubaOptions) -> np.ndarray:
    """Segmentation rule: each mask smoothed, then their union; bool ``(T, H, W)``."""
    values = read_mask_values(options.masks, name, frames)
    masks = np.isin(values, options.class_ids) if options.class_ids else values > FOREGROUND
    masks = smooth_masks(masks, options.smoothing)
    if options.saliency:
        salient = read_mask_values(options.saliency, name, frames) > 0
        masks |= smooth_masks(salient, options.smoothing)
    return masks


def box_foreground(frames: np.ndarray,
                   boxes: Sequence[Box]) -> Tuple[np.ndarray, np.ndarray]:
    """Box rule: the annotated frames and their masks; boxes are not smoothed.

    A frame between annotated ones that has no box itself is background only.

    Args:
        frames (np.ndarray): the whole video.
        boxes (Sequence[Box]): of all persons.

    Returns:
        tuple[np.ndarray, np.ndarray]: frames and bool masks from the first to the last of them.
    """
    first, last = annotated_span(boxes)
    masks = box_masks(frames, boxes)
    return frames[first:last + 1], masks[first:last + 1]


def _write_clip(root: Path, kind: str, name: str, frames: np.ndarray,
                options: ScubaOptions) -> Tuple[str, str]:
    if options.video_files:
        path = f'{kind}/{name}.mp4'
        return path, write_video(root / path, frames, options.fps)
    path = f'{kind}/{name}'
    return path, write_frames(root / path, frames, FILENAME_TMPL)


def _make_clips(job: Tuple[str, Video, Optional[List[Box]]], root: Path,
                options: ScubaOptions) -> Result:
    """Write the clips of one video, if its masks are valid."""
    name, video, boxes = job
    frames = read_frames(video.path, options.short_side)
    if options.masks:
        masks = foreground(frames, video.name, options)
        kept = is_valid(masks, options.min_area, options.min_frames)
    elif boxes:
        frames, masks = box_foreground(frames, boxes)
        kept = True
    else:
        kept = False
    if not kept:
        return Result({}, dict(kept=False, frames=0))
    outputs = {}
    for index, background in enumerate(draw_backgrounds(video.name, options)):
        clip = composite(frames, masks, background)
        path, digest = _write_clip(root, 'scuba', f'{name}__{index}', clip, options)
        outputs[path] = digest
        if options.scufo:
            index_of_still = still_index(options.scufo_frame, len(clip), options.seed,
                                         f'{name}__{index}')
            still = np.repeat(clip[index_of_still][None], len(clip), axis=0)
            path, digest = _write_clip(root, 'scufo', f'{name}__{index}', still, options)
            outputs[path] = digest
    return Result(outputs, dict(kept=True, frames=len(frames), area=float(masks.mean())))


def list_lines(names: Sequence[str], reports: Sequence[dict], labels: Sequence[int],
               options: ScubaOptions) -> List[str]:
    """The list of the kept videos: ``name__0 frames label``, or ``name__0.mp4 label``."""
    return [f'{name}__{index}.mp4 {label}' if options.video_files else
            f'{name}__{index} {report["frames"]} {label}'
            for name, report, label in zip(names, reports, labels) if report['kept']
            for index in range(options.per_video)]


def make_scuba(build: Build, videos: List[Video], names: List[str], options: ScubaOptions,
               boxes: Optional[Dict[str, List[Box]]] = None, workers: int = 1) -> dict:
    """Write the clips of all videos and ``annotations/test.csv``.

    Args:
        build (Build): where to.
        videos (list[Video]): the list.
        names (list[str]): how the output names them, without ``__<number>``.
        options (ScubaOptions): how.
        boxes (dict, optional): boxes by video name, instead of masks.
        workers (int): processes.

    Returns:
        dict: counts for the manifest; ``num_classes``: the highest label of the list and 1.

    Raises:
        ValueError: no video is valid.
    """
    jobs = [(video.name, (name, video, (boxes or {}).get(video.name)))
            for name, video in zip(names, videos)]
    sources = [[name, (boxes or {}).get(video.name), *state] for name, video, state in zip(
        names, videos, video_sources(videos, [options.masks, options.saliency]))]
    reports = build.run('scuba', jobs, partial(_make_clips, root=build.root, options=options),
                        workers, sources=sources)
    reports, names, videos = without_left_out(reports, names, videos)
    labels = [video.label for video in videos]
    lines = list_lines(names, reports, labels, options)
    if not lines:
        raise ValueError(f'none of the {len(videos)} videos has masks that cover '
                         f'{options.min_area:.0%} of {options.min_frames:.0%} of its frames.')
    build.write('annotations/test.csv', '\n'.join(lines) + '\n')
    return dict(videos=len(videos), kept=sum(report['kept'] for report in reports),
                clips=len(lines), num_classes=max(labels) + 1)
