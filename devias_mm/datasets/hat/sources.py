"""Clips of HAT, made on the fly from frames, masks and inpainted frames."""
import os.path as osp
from typing import List, NoReturn

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
    height, width = frame.shape[:2]
    if mask.shape == (height, width):
        return mask
    if rule == 'hat':
        _refuse_size(masks, index, mask, frame)
    return np.array(Image.fromarray(mask).resize((width, height), Image.Resampling.BICUBIC))


def read_background_mask(masks: FrameFolder, index: int, background: np.ndarray, short: int,
                         rule: str) -> np.ndarray:
    """Read the mask of a background's person, scaled to a short side as the background is.

    Args:
        masks: of the background's video.
        index: of the background frame.
        background: the frame, uint8 ``(H, W, 3)``, as read.
        short: short side of the frame that the background is for.
        rule: ``'hat'``, where a mask of another size than its frame is an error; or
            ``'devias'``, where a mask of any size is scaled once, bilinear.

    Raises:
        VideoReadError: it cannot be read, or has another size than its frame by HAT's rule.
    """
    mask = read_image(masks.path(index), grey=True)
    if rule == 'hat' and mask.shape != background.shape[:2]:
        _refuse_size(masks, index, mask, background)
    return scale_to(mask, short, rule)


def _refuse_size(masks: FrameFolder, index: int, mask: np.ndarray, frame: np.ndarray) -> NoReturn:
    name = osp.basename(masks.path(index))
    raise VideoReadError(masks.folder, f'mask {name} is {mask.shape[1]} x {mask.shape[0]} (w x h) '
                         f'and its frame {frame.shape[1]} x {frame.shape[0]}')


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
        made = {}
        shift = None
        held = None  # a scaled background that the next frame needs, too
        # each frame once, and each background once where a short one stands still for a while
        pairs = list(dict.fromkeys(zip(indices.tolist(), chosen.tolist())))
        following = [background_index for _, background_index in pairs[1:]] + [None]
        for (index, background_index), next_background in zip(pairs, following):
            frame = read_image(self.frames.path(index))
            mask = read_mask(self.masks, index, frame, self.rule)
            short = min(frame.shape[:2])
            background = held
            if background is None:
                background = read_image(self.backgrounds.path(background_index))
            if shift is None:
                there = read_background_mask(self.background_masks, background_index, background,
                                             short, self.rule)
                shift = shift_of(mask, there)
            if held is None:
                background = scale_to(background, short, self.rule)
            held = background.copy() if next_background == background_index else None
            made[index] = paste(background, frame, mask, shift)
        return [made[index] for index in indices.tolist()]
