"""FAME: foreground masks from motion and colour (Ding et al., CVPR 2022).

The steps are those of the published implementation, which the papers leave
open: frame differences say where something moves, a colour histogram of what
moves against what does not says which pixels share the foreground's colours.
"""
import math
from dataclasses import replace
from functools import lru_cache
from typing import Optional, Tuple

import torch
import torch.nn.functional as F
from kornia.color import rgb_to_hsv
from kornia.filters import get_gaussian_kernel1d
from mmaction.registry import MODELS
from torch import Tensor, nn

from devias_mm.structures import ClipTargets

NUM_BINS = 10**3  # ten levels of each of three colour coordinates
CACHED_ENTRIES = 2**22  # pixel values of the clips that a CPU handles at once


def normalise(maps: Tensor) -> Tensor:
    """Scale maps ``(..., H, W)`` to [0, 1], each by its own range."""
    low, high = maps.flatten(-2).aminmax(dim=-1)
    low, high = low[..., None, None], high[..., None, None]
    return (maps - low) / (high - low + 1e-8)


def colour_bins(images: Tensor) -> Tensor:
    """Quantise colours to 1000 cells of (S cos h, S sin h, V).

    Args:
        images (Tensor): RGB in [0, 1], ``(B, 3, H, W)``.

    Returns:
        Tensor: cell of each pixel in [1, 999], int64 ``(B, H, W)``.
    """
    hue, saturation, value = rgb_to_hsv(images).unbind(1)
    # kornia's hue is in radians already; the published implementation
    # multiplies it by 2 pi once more, and its masks depend on that
    angle = 2 * math.pi * hue
    qx, qy, qv = ((9 * channel + 1).round().long() for channel in (
        (saturation * angle.cos() + 1) / 2, (saturation * angle.sin() + 1) / 2, value))
    return qx + 10 * (qy - 1) + 100 * (qv - 1)


def largest(maps: Tensor, count: int) -> Tensor:
    """Mark the ``count`` largest values of each map.

    Args:
        maps (Tensor): ``(B, H, W)``.
        count (int): number of pixels.

    Returns:
        Tensor: float 0/1, ``(B, H, W)``, exactly ``count`` ones per map.
    """
    flat = maps.flatten(1)
    index = flat.topk(count, dim=1, sorted=False).indices
    return torch.zeros_like(flat).scatter_(1, index, 1.).view_as(maps)


@lru_cache(maxsize=16)
def blur_matrix(side: int, size: int, device: torch.device) -> Tensor:
    """Gaussian blur of a line as a matrix.

    For maps of one channel two matrix products are several times faster
    than a separable convolution.

    Args:
        side (int): length of the line.
        size (int): odd kernel size; sigma is a third of it.
        device (torch.device): where the matrix goes.

    Returns:
        Tensor: ``(side, side)``; the border is mirrored without the edge.
    """
    kernel = get_gaussian_kernel1d(size, size / 3)
    lines = torch.eye(side).unsqueeze(1)  # the blurred unit lines are the columns
    padded = F.pad(lines, (size // 2, size // 2), mode='reflect')
    return F.conv1d(padded, kernel.unsqueeze(0)).squeeze(1).T.contiguous().to(device)


@MODELS.register_module()
class FAMEMasks(nn.Module):
    """Put FAME's foreground masks into the targets of a batch.

    Example::

        # FAME: masks, then backgrounds from other clips of the batch
        augments = [dict(type='FAMEMasks', tau=0.5), dict(type='SceneMix', ratio=0.5)]

    Args:
        tau (float): share of the pixels that are foreground. DEVIAS: 0.3 on
            UCF-101, 0.5 on Kinetics-400 and HVU. Defaults to 0.5.
        foreground_seed (float): share of the pixels, those that move most,
            that make the foreground histogram. Defaults to 0.5.
        background_seed (float): share of the pixels, those that move least,
            that make the background histogram. Defaults to 0.1.
        blur_size (int, optional): odd Gaussian kernel size; its sigma is a
            third of it. ``None``: a tenth of the frame's height, at least 3.
            The published DEVIAS code has 11 on 224-pixel clips.
        colours (str): ``'clip'``: the colours are those of the temporal mean
            image, and the mask of a frame pair differs from the others' by its
            motion alone (published). ``'frame'``: histograms over the colours
            of all frames where the clip moves most or least, then the mask
            of a frame from its own colours -- for figures that move so much
            that the mean image blurs them. Defaults to 'clip'.
    """

    def __init__(self,
                 tau: float = 0.5,
                 foreground_seed: float = 0.5,
                 background_seed: float = 0.1,
                 blur_size: Optional[int] = None,
                 colours: str = 'clip') -> None:
        super().__init__()
        for name, share in (('tau', tau), ('foreground_seed', foreground_seed),
                            ('background_seed', background_seed)):
            if not 0 < share < 1:
                raise ValueError(f'{name} must lie in (0, 1), got {share}')
        if blur_size is not None and blur_size % 2 == 0:
            raise ValueError(f'blur_size must be odd, got {blur_size}')
        if colours not in ('clip', 'frame'):
            raise ValueError(f"colours must be 'clip' or 'frame', got {colours!r}")
        self.tau = tau
        self.foreground_seed = foreground_seed
        self.background_seed = background_seed
        self.blur_size = blur_size
        self.colours = colours

    def blur(self, maps: Tensor) -> Tensor:
        """Gaussian blur of ``(B, H, W)`` maps, borders mirrored."""
        size = self.blur_size or max(3, 2 * (int(0.1 * maps.shape[-2]) // 2) + 1)
        rows, columns = (blur_matrix(side, size, maps.device) for side in maps.shape[-2:])
        return rows @ maps @ columns.T

    def colour_ratio(self, motion: Tensor, bins: Tensor) -> Tensor:
        """Foreground probability of each pixel's colour.

        Args:
            motion (Tensor): blurred motion, ``(B, H, W)``.
            bins (Tensor): colour cells of F images that share one histogram,
                int64 ``(B, F, H, W)``.

        Returns:
            Tensor: in [0, 1], ``(B, F, H, W)``.
        """
        pixels = motion.shape[-2] * motion.shape[-1]
        cells = bins.flatten(1)

        def histogram(share: float, most: bool) -> Tensor:
            # of the seeds' cells alone: their number is small beside that of the pixels
            seeds = motion.flatten(1).topk(int(share * pixels), largest=most, sorted=False).indices
            seeds = seeds.unsqueeze(1).expand(-1, bins.shape[1], -1)
            votes = bins.flatten(2).gather(2, seeds).flatten(1)
            return motion.new_zeros(len(cells), NUM_BINS).scatter_add_(
                1, votes, motion.new_ones(()).expand(votes.shape))

        fg = histogram(self.foreground_seed, most=True)
        bg = histogram(self.background_seed, most=False) + 1
        fg = fg / (fg.sum(1, keepdim=True) + 1e-8)
        bg = bg / (bg.sum(1, keepdim=True) + 1e-8)
        return (fg / (bg + fg)).gather(1, cells).view(bins.shape)

    def binary(self, ratio: Tensor) -> Tensor:
        """Blur ``(B, H, W)`` probabilities and keep the ``tau`` largest."""
        return largest(normalise(self.blur(ratio)), int(self.tau * ratio[0].numel()))

    def compute(self, clips: Tensor) -> Tuple[Tensor, Tensor]:
        """Masks of a batch of clips.

        Args:
            clips (Tensor): RGB in [0, 1], ``(B, 3, T, H, W)``, T even.

        Returns:
            tuple[Tensor, Tensor]: the mask of each clip, ``(B, H, W)``, from
            its mean motion, and the masks over time: of the frame pairs (0, 1),
            (2, 3) ..., ``(B, T / 2, H, W)``, or with ``colours='frame'`` of
            all frames, ``(B, T, H, W)``; float 0/1, ``int(tau * H * W)`` ones each.
        """
        if clips.is_cuda:
            return self._compute(clips)
        # a CPU is faster in pieces that stay in its cache
        pieces = clips.split(max(1, CACHED_ENTRIES // clips[0].numel()))
        return tuple(torch.cat(masks) for masks in zip(*map(self._compute, pieces)))

    def _compute(self, clips: Tensor) -> Tuple[Tensor, Tensor]:
        """See :meth:`compute`."""
        # in place: the batch's differences are the largest array of all this
        difference = (clips[:, :, 1:] - clips[:, :, :-1]).abs_().sum(1)  # (B, T - 1, H, W)
        if self.colours == 'frame':
            motion = normalise(self.blur(difference.mean(1)))
            frames = clips.transpose(1, 2)
            bins = colour_bins(frames.flatten(0, 1)).unflatten(0, frames.shape[:2])
            ratio = self.colour_ratio(motion, bins)
            # clip-level and per-frame masks are one batch: the same steps, once
            ratio = torch.cat([ratio.mean(1, keepdim=True), ratio], dim=1)
        else:
            motion = torch.cat([difference.mean(1, keepdim=True), difference[:, ::2]], dim=1)
            bins = colour_bins(clips.mean(2))[:, None].expand(motion.shape)
            ratio = self.colour_ratio(normalise(self.blur(motion.flatten(0, 1))),
                                      bins.flatten(0, 1).unsqueeze(1)).view(motion.shape)
        masks = self.binary(ratio.flatten(0, 1)).view(ratio.shape)
        return masks[:, 0], masks[:, 1:]

    @torch.no_grad()
    def forward(self, clips: Tensor, targets: ClipTargets) -> Tuple[Tensor, ClipTargets]:
        """Compute the masks; the clips stay as they are.

        Args:
            clips (Tensor): RGB in [0, 1], ``(B, 3, T, H, W)``.
            targets (ClipTargets): gets ``clip_mask`` and ``masks``.
        """
        clip_mask, masks = self.compute(clips)
        return clips, replace(targets, clip_mask=clip_mask, masks=masks)
