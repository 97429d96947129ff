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
    low = low[..., None, None]
    high = high[..., None, None]
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
    x = (saturation * angle.cos() + 1) / 2
    y = (saturation * angle.sin() + 1) / 2
    x_level = colour_levels(x)
    y_level = colour_levels(y)
    value_level = colour_levels(value)
    return x_level + 10 * (y_level - 1) + 100 * (value_level - 1)


def colour_levels(channel: Tensor) -> Tensor:
    """Quantise values in [0, 1] to the levels 1 to 10, int64."""
    return (9 * channel + 1).round().long()


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
    marked = torch.zeros_like(flat).scatter_(1, index, 1.0)
    return marked.view_as(maps)


@lru_cache(maxsize=16)
def blur_matrix(side: int, size: int, device: torch.device) -> Tensor:
    """Return the Gaussian blur of a line as a matrix.

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
    border = size // 2
    # the blurred unit lines are the columns of the matrix
    lines = torch.eye(side).unsqueeze(1)
    padded = F.pad(lines, (border, border), mode='reflect')
    blurred = F.conv1d(padded, kernel.unsqueeze(0)).squeeze(1)
    return blurred.T.contiguous().to(device)


def seed_histogram(motion: Tensor, bins: Tensor, share: float, most: bool) -> Tensor:
    """Count the colours of the pixels that move most, or least.

    Args:
        motion (Tensor): ``(B, H, W)``.
        bins (Tensor): colour cells of F images, int64 ``(B, F, H, W)``.
        share (float): share of the pixels that are counted, in (0, 1).
        most (bool): count those that move most; ``False``: least.

    Returns:
        Tensor: counts, ``(B, NUM_BINS)``.
    """
    flat = motion.flatten(1)
    count = int(share * flat.shape[1])
    seeds = flat.topk(count, largest=most, sorted=False).indices
    # the same places in all images
    seeds = seeds.unsqueeze(1).expand(-1, bins.shape[1], -1)
    votes = bins.flatten(2).gather(2, seeds).flatten(1)
    ones = motion.new_ones(()).expand(votes.shape)
    counts = motion.new_zeros(len(motion), NUM_BINS)
    return counts.scatter_add_(1, votes, ones)


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
        shares = dict(tau=tau, foreground_seed=foreground_seed, background_seed=background_seed)
        for name, share in shares.items():
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
        """Blur ``(B, H, W)`` maps by a Gaussian, borders mirrored."""
        height, width = maps.shape[-2:]
        size = self.blur_size
        if size is None:
            tenth = int(0.1 * height)
            size = max(3, 2 * (tenth // 2) + 1)  # odd
        rows = blur_matrix(height, size, maps.device)
        columns = blur_matrix(width, size, maps.device)
        return rows @ maps @ columns.T

    def colour_ratio(self, motion: Tensor, bins: Tensor) -> Tensor:
        """Return the foreground probability of each pixel's colour.

        Args:
            motion (Tensor): blurred motion, ``(B, H, W)``.
            bins (Tensor): colour cells of F images that share one histogram,
                int64 ``(B, F, H, W)``.

        Returns:
            Tensor: in [0, 1], ``(B, F, H, W)``.
        """
        foreground = seed_histogram(motion, bins, self.foreground_seed, most=True)
        background = seed_histogram(motion, bins, self.background_seed, most=False)
        # a colour that no seed has is background
        background = background + 1
        foreground = foreground / (foreground.sum(1, keepdim=True) + 1e-8)
        background = background / (background.sum(1, keepdim=True) + 1e-8)
        of_colours = foreground / (background + foreground)
        of_pixels = of_colours.gather(1, bins.flatten(1))
        return of_pixels.view(bins.shape)

    def binary(self, ratio: Tensor) -> Tensor:
        """Blur ``(B, H, W)`` probabilities and keep the ``tau`` largest."""
        pixels = ratio[0].numel()
        blurred = self.blur(ratio)
        return largest(normalise(blurred), int(self.tau * pixels))

    def compute(self, clips: Tensor) -> Tuple[Tensor, Tensor]:
        """Compute the masks of a batch of clips.

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
        fitting = CACHED_ENTRIES // clips[0].numel()
        clip_masks = []
        masks = []
        for piece in clips.split(max(1, fitting)):
            piece_clip_mask, piece_masks = self._compute(piece)
            clip_masks.append(piece_clip_mask)
            masks.append(piece_masks)
        return torch.cat(clip_masks), torch.cat(masks)

    def _compute(self, clips: Tensor) -> Tuple[Tensor, Tensor]:
        """Compute the masks of clips that are handled at once; see :meth:`compute`."""
        # in place: the batch's differences are the largest array of all this
        difference = (clips[:, :, 1:] - clips[:, :, :-1]).abs_()
        difference = difference.sum(1)  # (B, T - 1, H, W)
        if self.colours == 'frame':
            ratio = self._ratio_of_frames(clips, difference)
        else:
            ratio = self._ratio_of_pairs(clips, difference)
        # clip-level masks and those over time are one batch: the same steps, once
        masks = self.binary(ratio.flatten(0, 1)).view(ratio.shape)
        return masks[:, 0], masks[:, 1:]

    def _ratio_of_pairs(self, clips: Tensor, difference: Tensor) -> Tensor:
        """Return probabilities of the clip and its frame pairs, ``(B, 1 + T / 2, H, W)``."""
        of_clip = difference.mean(1, keepdim=True)
        of_pairs = difference[:, ::2]
        motion = torch.cat([of_clip, of_pairs], dim=1)
        blurred = self.blur(motion.flatten(0, 1))
        mean_image = clips.mean(2)
        bins = colour_bins(mean_image)[:, None].expand(motion.shape)
        bins = bins.flatten(0, 1).unsqueeze(1)
        ratio = self.colour_ratio(normalise(blurred), bins)
        return ratio.view(motion.shape)

    def _ratio_of_frames(self, clips: Tensor, difference: Tensor) -> Tensor:
        """Return probabilities of the clip and its frames, ``(B, 1 + T, H, W)``."""
        blurred = self.blur(difference.mean(1))
        frames = clips.transpose(1, 2)
        bins = colour_bins(frames.flatten(0, 1))
        bins = bins.unflatten(0, frames.shape[:2])
        of_frames = self.colour_ratio(normalise(blurred), bins)
        of_clip = of_frames.mean(1, keepdim=True)
        return torch.cat([of_clip, of_frames], dim=1)

    @torch.no_grad()
    def forward(self, clips: Tensor, targets: ClipTargets) -> Tuple[Tensor, ClipTargets]:
        """Compute the masks; the clips stay as they are.

        Args:
            clips (Tensor): RGB in [0, 1], ``(B, 3, T, H, W)``.
            targets (ClipTargets): gets ``clip_mask`` and ``masks``.
        """
        clip_mask, masks = self.compute(clips)
        return clips, replace(targets, clip_mask=clip_mask, masks=masks)
