"""StillMix (Li et al., ICCV 2023): frames that give an action away, mixed into all clips."""
from functools import lru_cache
from pathlib import Path
from typing import Optional, Tuple

import numpy as np
import torch
from mmaction.registry import MODELS
from torch import Tensor, nn
from torch.distributions import Beta

from devias_mm.augments.data_preprocessor import per_clip
from devias_mm.errors import MissingFileError
from devias_mm.files import atomic_path, file_sha256, read_json, write_json
from devias_mm.structures import ClipTargets


def still_clips(clips: Tensor, frame_index: Tensor) -> Tensor:
    """Repeat one frame of each clip in all its frames.

    Args:
        clips (Tensor): ``(B, C, T, H, W)``.
        frame_index (Tensor): the frame of each clip, int64 ``(B,)``.

    Returns:
        Tensor: ``(B, C, T, H, W)``, a copy.
    """
    rows = torch.arange(len(clips), device=clips.device)
    frames = clips[rows, :, frame_index].unsqueeze(2)
    return frames.repeat(1, 1, clips.shape[2], 1, 1)


def write_frame_bank(folder: Path, frames: np.ndarray, chosen: np.ndarray, facts: dict) -> None:
    """Write the frames that a :class:`StillMix` draws from.

    ``frames.npy`` holds them, uint8 ``(N, 3, H, W)``; ``manifest.json``, written
    last, their number, size, checksum and where they come from.

    Args:
        folder (Path): the bank.
        frames (ndarray): all ranked frames, uint8 ``(M, 3, H, W)``, possibly
            mapped from a file.
        chosen (ndarray): the rows to keep, int64 ``(N,)``.
        facts (dict): further entries of the manifest.
    """
    folder = Path(folder)
    frames_file = folder / 'frames.npy'
    shape = (len(chosen), *frames.shape[1:])
    with atomic_path(frames_file) as path:
        bank = np.lib.format.open_memmap(path, mode='w+', dtype=np.uint8, shape=shape)
        # never all in memory
        for start in range(0, len(chosen), 256):
            part = slice(start, start + 256)
            bank[part] = frames[chosen[part]]
        bank.flush()
    manifest = dict(facts)
    manifest['frames'] = len(chosen)
    manifest['size'] = list(frames.shape[-2:])
    manifest['sha256'] = file_sha256(frames_file)
    write_json(folder / 'manifest.json', manifest)


@lru_cache(maxsize=4)
def open_frame_bank(folder: Path) -> np.ndarray:
    """Map the frames of a bank into memory; nothing is read yet.

    Args:
        folder (Path): written by :func:`write_frame_bank`.

    Returns:
        ndarray: uint8 ``(N, 3, H, W)``, read-only.

    Raises:
        FileNotFoundError: there is no complete bank.
        ValueError: its frames are not what its manifest says.
    """
    folder = Path(folder)
    frames_file = folder / 'frames.npy'
    manifest = read_json(folder / 'manifest.json')
    if manifest is None or not frames_file.is_file():
        raise MissingFileError(
            f'no frame bank in {folder}: make it with tools/data/rank_still_frames.py '
            f'CONFIG CHECKPOINT --out {folder}, or set bank=None (StillMix without reference '
            'network)')
    frames = np.load(frames_file, mmap_mode='r', allow_pickle=False)
    expected = (manifest['frames'], 3, *manifest['size'])
    fits = frames.dtype == np.uint8 and frames.shape == expected
    if not fits or not len(frames):
        raise ValueError(f'{frames_file} holds {frames.dtype} {frames.shape}, but its '
                         f'manifest says uint8 {expected}: make the bank again')
    return frames


@MODELS.register_module()
class StillMix(nn.Module):
    """Mix a still frame into all frames of a clip; the label stays.

    ``x_t <- lam x_t + (1 - lam) s`` with ``lam ~ Beta(beta, beta)``, about one
    half. With a bank, ``s`` is one of the "bias-inducing" frames that a
    reference network, which sees single frames only, is sure about. Without,
    it is any frame of any other clip of the batch.

    The published implementation holds 1024 of the frames in memory and
    exchanges them while it trains. Here the bank is mapped from its file and
    every clip draws from all of it: each frame is equally likely either way,
    and no state has to outlive a resume.

    Labels and masks stay: they are those of what moves.

    Example::

        # the bank is made by tools/data/rank_still_frames.py
        augments = [dict(type='StillMix', bank='work_dirs/frame_bank', ratio=0.25)]

    Args:
        bank (str, optional): folder made by ``tools/data/rank_still_frames.py``,
            of frames of the clips' size. ``None``: without reference network.
        ratio (float): share of the clips, each drawn independently, in [0, 1].
            Defaults to 0.5 (the paper: 0.25 to 0.5).
        beta (float): both parameters of the Beta distribution. Defaults to 200.

    Raises:
        FileNotFoundError: there is no bank in that folder.
    """

    def __init__(self,
                 bank: Optional[str] = None,
                 ratio: float = 0.5,
                 beta: float = 200.0) -> None:
        super().__init__()
        if not 0 <= ratio <= 1:
            raise ValueError(f'ratio must lie in [0, 1], got {ratio}')
        if beta <= 0:
            raise ValueError(f'beta must be positive, got {beta}')
        if bank is not None:
            open_frame_bank(bank)  # complain now, not in the first step
        self.bank = bank
        self.ratio = ratio
        self.beta = beta

    def banked_frames(self, clips: Tensor) -> Tensor:
        """Draw a frame of the bank for each clip, ``(B, C, H, W)`` in [0, 1]."""
        bank = open_frame_bank(self.bank)  # no attribute: a copy of the module would hold it all
        size = (clips.shape[1], *clips.shape[-2:])
        if bank.shape[1:] != size:
            raise ValueError(f'the frames of the bank {self.bank} are {bank.shape[1:]} (C, H, W), '
                             f'the clips {size}: make the bank with a config of the same '
                             'resolution')
        rows = torch.randint(len(bank), (len(clips), ))  # on the CPU, as the bank
        frames = torch.from_numpy(bank[rows.numpy()])
        frames = frames.to(clips.device, non_blocking=True)
        return frames.to(clips.dtype) / 255

    @staticmethod
    def batch_frames(clips: Tensor) -> Tensor:
        """Draw a frame of another clip of the batch for each clip, ``(B, C, H, W)``."""
        batch = len(clips)
        device = clips.device
        if batch < 2:
            raise ValueError('StillMix without a bank takes frames from other clips of the batch: '
                             'batch_size must be at least 2')
        rows = torch.arange(batch, device=device)
        # 1 to B - 1 rows further, so never the clip itself
        distance = torch.randint(1, batch, (batch, ), device=device)
        other = (rows + distance) % batch
        frame_index = torch.randint(clips.shape[2], (batch, ), device=device)
        return clips[other, :, frame_index]

    def forward(self, clips: Tensor, targets: ClipTargets) -> Tuple[Tensor, ClipTargets]:
        """Mix a still frame into some of the clips.

        Args:
            clips (Tensor): in [0, 1], ``(B, C, T, H, W)``.
            targets (ClipTargets): returned unchanged.

        Raises:
            ValueError: when the clips differ in size from the bank's frames, or when, without a
                bank, the batch is a single clip.
        """
        if self.bank is None:
            stills = self.batch_frames(clips)
        else:
            stills = self.banked_frames(clips)
        parameter = torch.full((len(clips), ), self.beta, device=clips.device)
        # the validation would wait for the device
        distribution = Beta(parameter, parameter, validate_args=False)
        weight = distribution.sample()
        mixed = torch.rand(len(clips), device=clips.device) < self.ratio
        weight = weight.masked_fill(~mixed, 1.0)
        stills = stills.unsqueeze(2)
        return torch.lerp(stills, clips, per_clip(weight, clips)), targets
