"""One foreground mask per frame, without training: FAME, SegFormer, motion or boxes.

Every function takes RGB uint8 ``(T, H, W, 3)`` and returns bool ``(T, H, W)``.
"""
from functools import lru_cache
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

import cv2
import numpy as np

from devias_mm.builders.build import Result
from devias_mm.builders.media import Video, read_frames, write_frames
from devias_mm.datasets.human_boxes import BOX, boxes_to_mask, load_boxes, read_boxes


def fame_masks(frames: np.ndarray, clip_length: int = 16, **options) -> np.ndarray:
    """FAME's masks (``devias_mm.augments.fame.FAMEMasks``), clip by clip.

    FAME compares the motion and the colours of a short clip; a video is cut into clips, of which
    the last one ends with the video and may overlap the one before.

    Args:
        frames (np.ndarray): at least 2.
        clip_length (int): frames of a clip, even.
        options: of ``FAMEMasks``.
    """
    import torch

    from devias_mm.augments.fame import FAMEMasks
    if clip_length < 2 or clip_length % 2:
        raise ValueError(f'--clip-length {clip_length}: FAME takes an even number of frames.')
    if len(frames) < 2:
        raise ValueError('FAME needs at least two frames: it looks for what moves.')
    fame = FAMEMasks(**options)
    length = min(clip_length, len(frames) // 2 * 2)
    starts = list(range(0, len(frames) - length + 1, length))
    if starts[-1] + length < len(frames):
        starts.append(len(frames) - length)
    masks = np.zeros(frames.shape[:3], bool)
    for start in starts:
        clip = torch.from_numpy(frames[start:start + length]).permute(3, 0, 1, 2)
        _, found = fame.compute(clip[None].float() / 255)
        # colours of the whole clip: one mask for each pair of frames
        found = found[0].repeat_interleave(length // found.shape[1], dim=0)
        masks[start:start + length] = found.numpy() > .5
    return masks


def motion_masks(frames: np.ndarray, threshold: float = 16., background_ratio: float = .5,
                 opening: int = 2) -> np.ndarray:
    """Background subtraction with OpenCV's Gaussian mixtures (MOG2, Zivkovic 2004).

    The mixture first learns the whole video, then each frame is compared with what it learned,
    so that the first frames have a background too. Whoever covers a pixel most of the time is
    background there.

    Args:
        frames (np.ndarray): of a camera that does not move.
        threshold (float): squared Mahalanobis distance from which a pixel is foreground.
        background_ratio (float): share of the time in (0, 1] that the background's modes
            together explain.
        opening (int): side of the elliptic kernel that removes specks; one of twice the size
            then closes holes. 0 = raw.
    """
    if threshold <= 0 or not 0 < background_ratio <= 1 or opening < 0:
        raise ValueError(f'threshold {threshold}, background ratio {background_ratio}, opening '
                         f'{opening}: accepted are > 0, (0, 1] and >= 0.')
    model = cv2.createBackgroundSubtractorMOG2(len(frames), threshold, detectShadows=False)
    model.setBackgroundRatio(background_ratio)
    for frame in frames:
        model.apply(frame, learningRate=1 / len(frames))
    masks = [model.apply(frame, learningRate=0) for frame in frames]
    if opening:
        small, large = (cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
                        for side in (opening, 2 * opening + 1))
        masks = [cv2.morphologyEx(cv2.morphologyEx(mask, cv2.MORPH_OPEN, small),
                                  cv2.MORPH_CLOSE, large) for mask in masks]
    return np.stack(masks) > 0


class Box(NamedTuple):
    """Pixels ``x1..x2-1``, ``y1..y2-1`` of a frame, which counts from 0."""
    frame: int
    x1: float
    y1: float
    x2: float
    y2: float


def box_masks(frames: np.ndarray, boxes: Sequence[Box]) -> np.ndarray:
    """The union of a frame's boxes; their coordinates are truncated to whole pixels (SCUBA)."""
    masks = np.zeros(frames.shape[:3], bool)
    for box in boxes:
        if not 0 <= box.frame < len(frames):
            raise ValueError(f'there is a box of frame {box.frame}, but the video has frames '
                             f'0..{len(frames) - 1}.')
        x1, y1, x2, y2 = (max(int(value), 0) for value in box[1:])
        masks[box.frame, y1:y2, x1:x2] = True
    return masks


def read_video_boxes(path: str, min_score: float = 0.) -> Dict[str, List[Box]]:
    """Read the boxes of every video, exactly as annotated.

    Args:
        path (str): table of human boxes, docs/human_boxes.md.
        min_score (float): boxes below it are left out.
    """
    table = read_boxes(path)
    table = table[table[BOX].notna().all(axis=1) & ~(table.score < min_score)]
    boxes: Dict[str, List[Box]] = {}
    for name, *values in table[['video_id', 'frame', *BOX]].itertuples(index=False, name=None):
        boxes.setdefault(name, []).append(Box(*values))
    return boxes


@lru_cache(maxsize=1)
def _segformer(options: Tuple[Tuple[str, object], ...]):
    from devias_mm.augments.segformer_masks import SegFormerMasks
    return SegFormerMasks(**dict(options))


def person_masks(frames: np.ndarray, **options) -> np.ndarray:
    """The person class of a SegFormer, frame by frame.

    Args:
        frames (np.ndarray): RGB.
        options: of ``devias_mm.augments.segformer_masks.SegFormerMasks``; hashable.
    """
    import torch
    model = _segformer(tuple(sorted(options.items())))
    masks = []
    with torch.no_grad():
        for start in range(0, len(frames), model.chunk):
            part = torch.from_numpy(frames[start:start + model.chunk]).permute(0, 3, 1, 2)
            masks.append(model.segment(part.float() / 255).numpy() > .5)
    return np.concatenate(masks)


def detected_masks(frames: np.ndarray, video: str, boxes_file: str,
                   min_score: float = 0.) -> np.ndarray:
    """Human boxes, in each frame those of the nearest frame that was looked at.

    Args:
        frames (np.ndarray): in the size that the boxes were found in.
        video (str): its name in the table.
        boxes_file (str): docs/human_boxes.md.
        min_score (float): boxes below it are left out.
    """
    found = load_boxes(boxes_file, min_score).find(video, range(len(frames)))
    return np.stack([boxes_to_mask(boxes, frames.shape[1:3]) for boxes in found]) > 0


METHODS = dict(fame=fame_masks, motion=motion_masks, segformer=person_masks, boxes=detected_masks)


def make_masks(video: Video, method: str, options: dict, root: Path,
               short_side: Optional[int] = None) -> Result:
    """Write ``seg/<video>/000001.png`` ... of one video.

    Args:
        video (Video): which.
        method (str): key of ``METHODS``.
        options (dict): further arguments of the method.
        root (Path): folder of the build.
        short_side (int, optional): see ``read_frames``.
    """
    import torch
    torch.set_num_threads(1)  # a worker is one thread; sums then have one order
    frames = read_frames(video.path, short_side)
    if method == 'boxes':
        options = dict(options, video=video.name)
    try:
        masks = METHODS[method](frames, **options)
    except ValueError as error:
        raise ValueError(f'{video.path}: {error}') from None
    folder = f'seg/{video.name}'
    digest = write_frames(root / folder, 255 * masks.astype(np.uint8), '{:06d}.png')
    return Result({folder: digest}, dict(frames=len(frames), area=float(masks.mean())))
