"""Clips of HAT, made on the fly from frames, masks and inpainted frames."""
import os.path as osp
from typing import List

import numpy as np
from PIL import Image

from devias_mm.datasets.frame_folders import FrameFolder, read_image
from devias_mm.datasets.hat.compose import (
    background_indices,
    fill_background,
    paste,
    scale_to,
    shift_of,
)
from devias_mm.datasets.hat.layout import Frames, Layout
from devias_mm.datasets.transforms.read_clip import VideoReadError


def frame_folder(root: str, layout: Layout, frames: Frames, video: str, **kwargs) -> FrameFolder:
    """The frames, masks or inpainted frames of ``class/video``."""
    name = video if layout.with_class else video.rsplit('/', 1)[-1]
    return FrameFolder(osp.join(root, frames.folder, name), frames.filename_tmpl,
                       frames.first_number, **kwargs)


def read_mask(masks: FrameFolder, index: int, frame: np.ndarray, rule: str) -> np.ndarray:
    """Read a mask, uint8 ``(H, W)``, for a frame ``(H, W, 3)``.

    Raises:
        VideoReadError: it cannot be read; or, by HAT's rule, it has another size than
            the frame (DEVIAS's rule resizes it, bicubic).
    """
    mask = read_image(masks.path(index), grey=True)
    size = frame.shape[:2]
    if mask.shape == size:
        return mask
    if rule == 'hat':
        raise VideoReadError(masks.folder, f'mask {osp.basename(masks.path(index))} is '
                             f'{mask.shape[1]} x {mask.shape[0]} (w x h) and its frame '
                             f'{size[1]} x {size[0]}')
    return np.array(Image.fromarray(mask).resize(size[::-1], Image.Resampling.BICUBIC))


class HumanOnlyClip:
    """The person on the dataset's mean colour, as a source of ``ReadClip``.

    Args:
        root (str): folder of the layout.
        layout (Layout): where the files are.
        video (str): ``class/video``.
        fill (bool): whether to fill the background here. Defaults to True;
            otherwise frames have the mask as fourth channel, and
            ``FillBackground`` is to do it later in the pipeline.
        rule (str): of :func:`read_mask`. Defaults to ``'hat'``.
    """
    fps = 0.0  # unknown

    def __init__(self, root: str, layout: Layout, video: str, fill: bool = True,
                 rule: str = 'hat') -> None:
        self.frames = frame_folder(root, layout, layout.original, video)
        self.masks = frame_folder(root, layout, layout.masks, video)
        self.fill, self.rule = fill, rule

    @property
    def total_frames(self) -> int:
        """Number of frames, counted."""
        return self.frames.total_frames

    def read(self, indices: np.ndarray, clip_len: int) -> List[np.ndarray]:
        """Frames of indices from 0: RGB, uint8 ``(H, W, 3)``, or ``(H, W, 4)`` with the mask."""
        made = {}
        for index in sorted(set(indices.tolist())):
            frame = read_image(self.frames.path(index))
            mask = read_mask(self.masks, index, frame, self.rule)
            made[index] = fill_background(frame, mask) if self.fill else np.dstack([frame, mask])
        return [made[index] for index in indices.tolist()]


class ActionSwapClip:
    """The person of one video on the background of another, as a source of ``ReadClip``.

    Args:
        root (str): folder of the layout.
        layout (Layout): where the files are.
        video (str): ``class/video`` of the person.
        background (str): ``class/video`` of the background.
        background_frames (int): its listed number of frames.
        rule (str): ``'hat'`` or ``'devias'``, see :mod:`devias_mm.datasets.hat.compose`.
            The shift is that of the first frame: of all clips with HAT's rule, of each
            clip with DEVIAS's, which reads them one by one.
    """
    fps = 0.0  # unknown

    def __init__(self, root: str, layout: Layout, video: str, background: str,
                 background_frames: int, rule: str) -> None:
        self.frames = frame_folder(root, layout, layout.original, video)
        self.masks = frame_folder(root, layout, layout.masks, video)
        self.backgrounds = frame_folder(root, layout, layout.inpainted, background)
        self.background_masks = frame_folder(root, layout, layout.masks, background)
        self.background_frames, self.rule = background_frames, rule

    @property
    def total_frames(self) -> int:
        """Number of the person's frames, counted."""
        return self.frames.total_frames

    def read(self, indices: np.ndarray, clip_len: int) -> List[np.ndarray]:
        """Composites of frame indices from 0; N RGB frames, uint8 ``(H, W, 3)``."""
        clips = [indices] if self.rule == 'hat' else indices.reshape(-1, clip_len)
        return [frame for clip in clips for frame in self._compose(clip)]

    def _compose(self, indices: np.ndarray) -> List[np.ndarray]:
        chosen = background_indices(indices, self.total_frames, self.background_frames, self.rule)
        made, shift, held = {}, None, None
        # each frame once, and each background once where a short one stands still for a while
        pairs = list(dict.fromkeys(zip(indices.tolist(), chosen.tolist())))
        for (index, background_index), (_, following) in zip(pairs, [*pairs[1:], (None, None)]):
            frame = read_image(self.frames.path(index))
            mask = read_mask(self.masks, index, frame, self.rule)
            short = min(frame.shape[:2])
            background = held
            if background is None:
                background = read_image(self.backgrounds.path(background_index))
            if shift is None:
                there = read_mask(self.background_masks, background_index, background, self.rule)
                shift = shift_of(mask, scale_to(there, short, self.rule))
            if held is None:
                background = scale_to(background, short, self.rule)
            held = background.copy() if following == background_index else None
            made[index] = paste(background, frame, mask, shift)
        return [made[index] for index in indices.tolist()]
