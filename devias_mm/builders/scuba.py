"""SCUBA and SCUFO: people in front of pictures (Li et al., ICCV 2023)."""
from functools import partial
from typing import Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from PIL import Image

from devias_mm.builders.boxes import Box, box_masks, first_of_each_frame
from devias_mm.builders.media import FOREGROUND, read_frames, read_mask_values
from devias_mm.builders.output_folder import Job, OutputFolder, Outputs, without_left_out
from devias_mm.builders.stripes import NUM_DRAWS, stripe_image
from devias_mm.builders.videos import Video, video_state
from devias_mm.datasets.frame_folders import stable_rng, still_index
from devias_mm.errors import UserError
from devias_mm.pictures import read_image

FILENAME_TMPL = 'img_{:05d}.jpg'  #: of a clip's frames, from 1; the default of its reader


def smooth_masks(masks: np.ndarray, reach: int = 1) -> np.ndarray:
    """Return the union of the masks of frames t - reach .. t + reach, where they exist.

    Args:
        masks: bool ``(T, H, W)``.
        reach: frames to each side; 1 as published, 0 leaves the masks as they are.
    """
    union = masks.copy()
    for step in range(1, min(reach, len(masks) - 1) + 1):
        union[step:] |= masks[:-step]
        union[:-step] |= masks[step:]
    return union


def is_valid(masks: np.ndarray, min_area: float = 0.1, min_frames: float = 0.9) -> bool:
    """Return whether the masks cover enough of enough frames.

    Args:
        masks: bool ``(T, H, W)``, smoothed.
        min_area: share of a frame that its mask must cover, in [0, 1].
        min_frames: share of the frames that must be covered so.
    """
    covered = masks.mean(axis=(1, 2)) >= min_area
    return bool(covered.sum() >= min_frames * len(masks))


def composite(frames: np.ndarray, masks: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Put the masked pixels in front of a picture, scaled (bicubic) to the frame.

    Args:
        frames: RGB uint8 ``(T, H, W, 3)``.
        masks: bool ``(T, H, W)``.
        background: RGB uint8 ``(h, w, 3)``.
    """
    height, width = frames.shape[1:3]
    picture = Image.fromarray(background).resize((width, height), Image.Resampling.BICUBIC)
    return np.where(masks[..., None], frames, np.asarray(picture))


def annotated_span(boxes: Sequence[Box]) -> Tuple[int, int]:
    """Return the first and last frame with a box, over all persons of a video."""
    numbers = [int(box.frame) for box in boxes]
    return min(numbers), max(numbers)


class ScubaOptions(NamedTuple):
    """How the clips are made.

    Attributes:
        masks: folder that ``read_mask_values`` reads.
        class_ids: the masks hold class ids, and these are people; empty: they hold
            grey levels, above 128 is foreground.
        saliency: folder of further masks, any non-zero value is foreground.
        smoothing: reach of ``smooth_masks``.
        all_people: by the box rule, keep all boxes of a frame and not the first alone.
        backgrounds: image files; empty: stripes.
        per_video: backgrounds of a video.
        seed: of the draws.
        video_files: write mp4 files and not frames.
        fps: of the mp4 files.
        scufo: also write a clip of one frame, repeated.
        scufo_frame: which one, see :func:`~devias_mm.datasets.frame_folders.still_index`.
        min_area, min_frames: see :func:`is_valid`.
        short_side: see ``read_frames``.
    """
    masks: Optional[str] = None
    class_ids: Tuple[int, ...] = ()
    saliency: Optional[str] = None
    smoothing: int = 1
    all_people: bool = False
    backgrounds: Tuple[str, ...] = ()
    per_video: int = 1
    seed: int = 0
    video_files: bool = False
    fps: int = 30
    scufo: bool = False
    scufo_frame: str = 'middle'
    min_area: float = 0.1
    min_frames: float = 0.9
    short_side: Optional[int] = None


class ScubaVideo(NamedTuple):
    """A video of a SCUBA set.

    Attributes:
        video: its file.
        name: what its clips are named after, without ``__<number>``.
        boxes: where its people are, unless masks say so.
    """
    video: Video
    name: str
    boxes: Optional[List[Box]] = None


def draw_backgrounds(name: str, options: ScubaOptions) -> List[np.ndarray]:
    """Return the backgrounds of a video, from random numbers of its own.

    Returns:
        list[np.ndarray]: RGB uint8; pictures of the folder are all different.
    """
    rng = stable_rng(options.seed, name)
    if not options.backgrounds:
        return [stripe_image(rng.random(NUM_DRAWS)) for _ in range(options.per_video)]
    chosen = rng.choice(len(options.backgrounds), options.per_video, replace=False)
    return [read_image(options.backgrounds[index]) for index in chosen]


def foreground(frames: np.ndarray, name: str, options: ScubaOptions) -> np.ndarray:
    """Return the masks by the segmentation rule: each mask smoothed, then their union.

    Returns:
        np.ndarray: bool ``(T, H, W)``.
    """
    values = read_mask_values(options.masks, name, frames)
    if options.class_ids:
        masks = np.isin(values, options.class_ids)
    else:
        masks = values > FOREGROUND
    masks = smooth_masks(masks, options.smoothing)
    if options.saliency:
        salient = read_mask_values(options.saliency, name, frames) > 0
        masks |= smooth_masks(salient, options.smoothing)
    return masks


def box_foreground(frames: np.ndarray, boxes: Sequence[Box],
                   all_people: bool = False) -> Tuple[np.ndarray, np.ndarray]:
    """Return annotated frames and their masks by the box rule; boxes are not smoothed.

    A frame between annotated ones that has no box itself is background only. Of several people in
    a frame the first in the table is kept: the released sets were made so.

    Args:
        frames: the whole video.
        boxes: of all persons.
        all_people: keep all of them.

    Returns:
        tuple[np.ndarray, np.ndarray]: frames and bool masks, from the first annotated frame of
        any person to the last.
    """
    first, last = annotated_span(boxes)
    if not all_people:
        boxes = first_of_each_frame(boxes)
    masks = box_masks(frames, boxes)
    return frames[first:last + 1], masks[first:last + 1]


def _separate(source: ScubaVideo,
              options: ScubaOptions) -> Optional[Tuple[np.ndarray, np.ndarray]]:
    """Return frames and masks of a video; ``None`` where its people are too small or not known."""
    frames = read_frames(source.video.path, options.short_side)
    if options.masks:
        masks = foreground(frames, source.video.name, options)
        if not is_valid(masks, options.min_area, options.min_frames):
            return None
        return frames, masks
    if not source.boxes:
        return None
    try:
        return box_foreground(frames, source.boxes, options.all_people)
    except UserError as error:
        raise UserError(f'{source.video.name}: {error}') from None


def _make_clips(source: ScubaVideo, outputs: Outputs, options: ScubaOptions) -> dict:
    """Write the clips of one video, if its masks are valid."""
    separated = _separate(source, options)
    if separated is None:
        return dict(kept=False, frames=0)
    frames, masks = separated
    for index, background in enumerate(draw_backgrounds(source.video.name, options)):
        name = f'{source.name}__{index}'
        clip = composite(frames, masks, background)
        _write_clip(outputs, f'scuba/{name}', clip, options)
        if options.scufo:
            chosen = still_index(options.scufo_frame, len(clip), options.seed, name)
            still = np.repeat(clip[chosen][None], len(clip), axis=0)
            _write_clip(outputs, f'scufo/{name}', still, options)
    return dict(kept=True, frames=len(frames), area=float(masks.mean()))


def _write_clip(outputs: Outputs, name: str, frames: np.ndarray, options: ScubaOptions) -> None:
    if options.video_files:
        outputs.add_video(f'{name}.mp4', frames, options.fps)
    else:
        outputs.add_frames(name, frames, FILENAME_TMPL)


def list_lines(videos: Sequence[ScubaVideo], reports: Sequence[dict],
               options: ScubaOptions) -> Iterator[str]:
    """Yield the list of the kept videos: ``name__0 frames label``, or ``name__0.mp4 label``."""
    for source, report in zip(videos, reports):
        if not report['kept']:
            continue
        for index in range(options.per_video):
            name = f'{source.name}__{index}'
            if options.video_files:
                yield f'{name}.mp4 {source.video.label}'
            else:
                yield f'{name} {report["frames"]} {source.video.label}'


def make_scuba(build: OutputFolder, videos: Sequence[ScubaVideo], options: ScubaOptions,
               workers: int = 1) -> dict:
    """Write the clips of all videos and ``annotations/test.csv``.

    Args:
        build: where to.
        videos: the list.
        options: how.
        workers: processes.

    Returns:
        dict: counts for the manifest; ``num_classes``: the highest label of the list and 1.

    Raises:
        UserError: no video is valid.
    """
    jobs = []
    for source in videos:
        state = video_state(source.video, [options.masks, options.saliency])
        jobs.append(Job(source.video.name, source, [source.name, source.boxes, *state]))
    reports = build.run('scuba', jobs, partial(_make_clips, options=options), workers)
    reports, videos = without_left_out(reports, videos)
    lines = list(list_lines(videos, reports, options))
    if not lines:
        raise UserError(f'none of the {len(videos)} videos has masks that cover '
                        f'{options.min_area:.0%} of {options.min_frames:.0%} of its frames.')
    build.write('annotations/test.csv', '\n'.join(lines) + '\n')
    kept = sum(report['kept'] for report in reports)
    num_classes = max(source.video.label for source in videos) + 1
    return dict(videos=len(videos), kept=kept, clips=len(lines), num_classes=num_classes)
