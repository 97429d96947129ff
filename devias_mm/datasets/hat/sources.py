"""Clips of HAT, made on the fly from frames, masks and inpainted frames."""
import os.path as osp
from typing import Dict, List, Optional, Tuple

import numpy as np
from PIL import Image

from devias_mm.datasets.frame_folders import FrameFolder
from devias_mm.datasets.hat.compose import (
    background_indices,
    fill_background,
    paste,
    scale_to,
    shift_of,
)
from devias_mm.datasets.hat.layout import Frames, Layout
from devias_mm.datasets.transforms.read_clip import VideoReadError
from devias_mm.pictures import read_image


def frame_folder(root: str, layout: Layout, frames: Frames, video: str, **kwargs) -> FrameFolder:
    """Return the frames, masks or inpainted frames of ``class/video``."""
    name = video if layout.with_class else video.rsplit('/', 1)[-1]
    return FrameFolder(osp.join(root, frames.folder, name), frames.filename_tmpl,
                       frames.first_number, **kwargs)


def read_mask(masks: FrameFolder, index: int, size: Tuple[int, int], rule: str) -> np.ndarray:
    """Read the mask, uint8 ``(H, W)``, of a frame of the size ``(H, W)``.

    Raises:
        ImageReadError: it cannot be read.
        VideoReadError: by HAT's rule, it has another size than the frame (DEVIAS's rule resizes
            it, bicubic).
    """
    path = masks.path(index)
    mask = read_image(path, grey=True)
    if mask.shape == size:
        return mask
    height, width = size
    if rule == 'hat':
        raise VideoReadError(masks.folder, f'mask {osp.basename(path)} is {mask.shape[1]} x '
                             f'{mask.shape[0]} (w x h) and its frame {width} x {height}')
    return np.array(Image.fromarray(mask).resize((width, height), Image.Resampling.BICUBIC))


class HumanOnlyClip:
    """The person on the dataset's mean colour, as a source of ``ReadClip``.

    Args:
        root: folder of the layout.
        layout: where the files are.
        video: ``class/video``.
        rule: of :func:`read_mask`.
    """
    fps = 0.0  # unknown

    def __init__(self, root: str, layout: Layout, video: str, rule: str = 'hat') -> None:
        self.frames = frame_folder(root, layout, layout.original, video)
        self.masks = frame_folder(root, layout, layout.masks, video)
        self.rule = rule

    @property
    def total_frames(self) -> int:
        """Number of frames, counted."""
        return self.frames.total_frames

    def read(self, indices: np.ndarray, clip_len: int) -> List[np.ndarray]:
        """Read frames of indices from 0: RGB, uint8 ``(H, W, 3)``."""
        wanted = indices.tolist()
        made = {index: self._frame(index) for index in sorted(set(wanted))}
        return [made[index] for index in wanted]

    def _frame(self, index: int) -> np.ndarray:
        frame = read_image(self.frames.path(index))
        mask = read_mask(self.masks, index, frame.shape[:2], self.rule)
        return fill_background(frame, mask)


def read_background_mask(masks: FrameFolder, index: int, background: np.ndarray, short: int,
                         rule: str) -> np.ndarray:
    """Read the mask of a background's person, scaled to a short side as the background is.

    Args:
        masks: of the background's video.
        index: of the background frame.
        background: the frame, uint8 ``(H, W, 3)``, as read.
        short: short side of the frame that the background is for.
        rule: ``'hat'``, where a mask of another size than its frame is an error; or
            ``'devias'``, where a mask of any size is scaled once, bilinear, from its own size.

    Raises:
        VideoReadError: it cannot be read, or has another size than its frame by HAT's rule.
    """
    if rule == 'devias':
        mask = read_image(masks.path(index), grey=True)
    else:
        mask = read_mask(masks, index, background.shape[:2], rule)
    return scale_to(mask, short, rule)


class ActionSwapClip:
    """The person of one video on the background of another, as a source of ``ReadClip``.

    Args:
        root: folder of the layout.
        layout: where the files are.
        video: ``class/video`` of the person.
        background: ``class/video`` of the background.
        background_frames: its listed number of frames.
        rule: ``'hat'`` or ``'devias'``, see :mod:`devias_mm.datasets.hat.compose`. The first
            frame decides the shift: of all clips with HAT's rule, of each clip with DEVIAS's,
            which reads them one by one.
    """
    fps = 0.0  # unknown

    def __init__(self, root: str, layout: Layout, video: str, background: str,
                 background_frames: int, rule: str) -> None:
        self.frames = frame_folder(root, layout, layout.original, video)
        self.masks = frame_folder(root, layout, layout.masks, video)
        self.backgrounds = frame_folder(root, layout, layout.inpainted, background)
        self.background_masks = frame_folder(root, layout, layout.masks, background)
        self.background_frames = background_frames
        self.rule = rule

    @property
    def total_frames(self) -> int:
        """Number of the person's frames, counted."""
        return self.frames.total_frames

    def read(self, indices: np.ndarray, clip_len: int) -> List[np.ndarray]:
        """Make composites of frame indices from 0; N RGB frames, uint8 ``(H, W, 3)``."""
        clips = [indices]
        if self.rule == 'devias':
            clips = indices.reshape(-1, clip_len)
        frames: List[np.ndarray] = []
        for clip in clips:
            frames += self._compose(clip)
        return frames

    def _compose(self, indices: np.ndarray) -> List[np.ndarray]:
        """Make the composites of some frames, whose first one decides the shift."""
        chosen = background_indices(indices, self.total_frames, self.background_frames, self.rule)
        made: Dict[int, np.ndarray] = {}
        shift: Optional[Tuple[int, int]] = None
        # kept from frame to frame, because a short background is shown for several
        scaled: Optional[np.ndarray] = None
        scaled_index = -1
        for index, background_index in zip(indices.tolist(), chosen.tolist()):
            if index in made:
                continue
            frame = read_image(self.frames.path(index))
            mask = read_mask(self.masks, index, frame.shape[:2], self.rule)
            short = min(frame.shape[:2])
            if background_index != scaled_index:
                background = read_image(self.backgrounds.path(background_index))
                if shift is None:
                    background_mask = read_background_mask(
                        self.background_masks, background_index, background, short, self.rule)
                    shift = shift_of(mask, background_mask)
                scaled = scale_to(background, short, self.rule)
                scaled_index = background_index
            # a copy, because the person is pasted in place
            made[index] = paste(scaled.copy(), frame, mask, shift)
        return [made[index] for index in indices.tolist()]
