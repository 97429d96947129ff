"""One foreground mask per frame, without training: people, SegFormer, boxes, FAME or motion.

Every method takes RGB uint8 ``(T, H, W, 3)`` and returns bool ``(T, H, W)``.
"""
from functools import lru_cache
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

import cv2
import numpy as np

from devias_mm.builders.mask_quality import mask_quality
from devias_mm.builders.media import read_frames
from devias_mm.builders.output_folder import Outputs
from devias_mm.builders.people import people_masks
from devias_mm.builders.videos import Video
from devias_mm.errors import UsageError, UserError


def fame_masks(frames: np.ndarray, clip_length: int = 16, **options: object) -> np.ndarray:
    """Return FAME's masks (``devias_mm.augments.fame.FAMEMasks``), clip by clip.

    FAME compares the motion and the colours of a short clip; a video is cut into clips, of which
    the last one ends with the video and may overlap the one before.

    Args:
        frames: at least 2.
        clip_length: frames of a clip, even.
        options: of ``FAMEMasks``.
    """
    import torch

    from devias_mm.augments.fame import FAMEMasks
    if clip_length < 2 or clip_length % 2:
        raise UsageError(f'--clip-length {clip_length}: FAME takes an even number of frames.')
    if len(frames) < 2:
        raise UserError('FAME needs at least two frames: it looks for what moves.')
    try:
        fame = FAMEMasks(**options)
    except ValueError as error:
        raise UsageError(str(error)) from None
    length = min(clip_length, len(frames) // 2 * 2)
    masks = np.zeros(frames.shape[:3], bool)
    for start in _clip_starts(len(frames), length):
        clip = torch.from_numpy(frames[start:start + length]).permute(3, 0, 1, 2)
        _, found = fame.compute(clip[None].float() / 255)
        # colours of the whole clip: one mask for each pair of frames
        found = found[0].repeat_interleave(length // found.shape[1], dim=0)
        masks[start:start + length] = found.numpy() > 0.5
    return masks


def _clip_starts(frames: int, length: int) -> List[int]:
    """Return the first frames of clips that together cover a video."""
    starts = list(range(0, frames - length + 1, length))
    if starts[-1] + length < frames:
        starts.append(frames - length)
    return starts


def motion_masks(frames: np.ndarray, threshold: float = 16.0, background_ratio: float = 0.5,
                 opening: int = 2) -> np.ndarray:
    """Subtract the background with OpenCV's Gaussian mixtures (MOG2, Zivkovic 2004).

    The mixture first learns the whole video, then each frame is compared with what it learned,
    so that the first frames have a background too. Whoever covers a pixel most of the time is
    background there.

    Args:
        frames: of a camera that does not move.
        threshold: squared Mahalanobis distance from which a pixel is foreground, > 0.
        background_ratio: share of the time in (0, 1] that the background's modes together
            explain.
        opening: side of the elliptic kernel that removes specks, in pixels; one of twice the size
            then closes holes. 0 = raw.
    """
    if threshold <= 0 or not 0 < background_ratio <= 1 or opening < 0:
        raise UsageError(f'threshold {threshold}, background ratio {background_ratio}, opening '
                         f'{opening}: accepted are > 0, (0, 1] and >= 0.')
    model = cv2.createBackgroundSubtractorMOG2(len(frames), threshold, detectShadows=False)
    model.setBackgroundRatio(background_ratio)
    for frame in frames:
        model.apply(frame, learningRate=1 / len(frames))
    masks = [model.apply(frame, learningRate=0) for frame in frames]
    if opening:
        small = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (opening, opening))
        large = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * opening + 1, 2 * opening + 1))
        masks = [cv2.morphologyEx(mask, cv2.MORPH_OPEN, small) for mask in masks]
        masks = [cv2.morphologyEx(mask, cv2.MORPH_CLOSE, large) for mask in masks]
    return np.stack(masks) > 0


@lru_cache(maxsize=1)
def _segformer(options: Tuple[Tuple[str, object], ...]):
    from devias_mm.augments.segformer_masks import SegFormerMasks
    return SegFormerMasks(**dict(options))


def person_masks(frames: np.ndarray, **options: object) -> np.ndarray:
    """Return the person class of a SegFormer, frame by frame.

    Args:
        frames: RGB.
        options: of ``devias_mm.augments.segformer_masks.SegFormerMasks``; hashable.
    """
    import torch
    masks = []
    try:
        from devias_mm.augments.segformer_masks import FRAMES_PER_PASS
        model = _segformer(tuple(sorted(options.items())))
        with torch.no_grad():
            for part in torch.from_numpy(frames).permute(0, 3, 1, 2).split(FRAMES_PER_PASS):
                masks.append(model.segment(part.float() / 255).numpy() > 0.5)
    except (ImportError, OSError, ValueError) as error:
        raise UsageError(f'--checkpoint: {error}') from error
    return np.concatenate(masks)


def boxes_masks(frames: np.ndarray, **options: object) -> np.ndarray:
    """Return human boxes, see :func:`devias_mm.builders.boxes.detected_masks`."""
    from devias_mm.builders.boxes import detected_masks
    return detected_masks(frames, **options)


METHODS: Dict[str, Callable[..., np.ndarray]] = dict(
    people=people_masks, segformer=person_masks, boxes=boxes_masks, fame=fame_masks,
    motion=motion_masks)


class MaskMaker(NamedTuple):
    """A method with its options.

    Attributes:
        method: key of ``METHODS``.
        options: further arguments of the method.
    """
    method: str
    options: dict

    def __call__(self, video: Video, frames: np.ndarray) -> np.ndarray:
        """Return the masks of a video, bool ``(T, H, W)``.

        Raises:
            UserError: the method cannot use the video, which is named.
        """
        options = self.options
        if self.method == 'boxes':
            options = dict(options, video=video.name)
        try:
            return METHODS[self.method](frames, **options)
        except UsageError:
            raise
        except UserError as error:
            raise UserError(f'{video.path}: {error}') from None


def write_video_masks(video: Video, outputs: Outputs, maker: MaskMaker,
                      short_side: Optional[int] = None) -> dict:
    """Write ``seg/<video>/000001.png`` ... of one video; return a report of their quality.

    Args:
        video: which.
        outputs: where to.
        maker: how.
        short_side: see ``read_frames``.
    """
    use_one_thread()
    frames = read_frames(video.path, short_side)
    masks = maker(video, frames)
    outputs.add_frames(f'seg/{video.name}', 255 * masks.astype(np.uint8), '{:06d}.png')
    return dict(frames=len(frames), quality=mask_quality(frames, masks)._asdict())


def use_one_thread() -> None:
    """Let a worker be one thread: sums then have one order, and workers do not wait."""
    import torch
    torch.set_num_threads(1)
