"""Spatial warping by thin-plate splines (DSM, "Spatial Local Disturbance")."""
import functools
from typing import Tuple

import numpy as np
import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from scipy.interpolate import RBFInterpolator
from torch import Tensor, nn

from devias_mm.structures import ClipTargets


@functools.lru_cache(maxsize=8)
def spline_basis(points: int, height: int, width: int,
                 device: torch.device) -> Tuple[Tensor, Tensor]:
    """Return how far each pixel moves when a single control point moves by one.

    The spline's weights solve a linear system that depends on the fixed destination points
    alone, so the displacement of a pixel is linear in the offsets: one product with this
    matrix replaces solving for each clip.

    Args:
        points (int): control points per axis.
        height (int): ``H`` in pixels.
        width (int): ``W`` in pixels.
        device (torch.device): where the tensors go; they are kept there.

    Returns:
        tuple: the pixels' own places ``(H * W, 2)``, (x, y) in [-1, 1] with the corners
        outside the pixel centres, and the basis ``(H * W, points ** 2)``.
    """
    axis = np.linspace(-1, 1, points)
    centres = grid_places(axis, axis)
    columns = (2 * np.arange(width) + 1) / width - 1
    rows = (2 * np.arange(height) + 1) / height - 1
    pixels = grid_places(columns, rows)
    # not kornia's: that one puts the kernels on the moved points, solves for each clip and waits
    unit_offsets = np.eye(len(centres))
    spline = RBFInterpolator(centres, unit_offsets, kernel='thin_plate_spline')
    basis = torch.from_numpy(spline(pixels))
    places = torch.from_numpy(pixels)
    return places.to(device, torch.float32), basis.to(device, torch.float32)


def grid_places(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the points of a grid row by row, (x, y), ``(len(y) * len(x), 2)``."""
    x, y = np.meshgrid(x, y)
    return np.stack([x.ravel(), y.ravel()], axis=1)


def warp_clips(clips: Tensor, offsets: Tensor) -> Tensor:
    """Warp all frames of a clip alike.

    The output at destination ``d_i`` shows the input at ``s_i = d_i + offset_i``; between the
    points a thin-plate spline gives the place.

    Args:
        clips (Tensor): ``(B, C, T, H, W)``.
        offsets (Tensor): ``(B, N, 2)``, (x, y) as shares of the frame's width and height,
            for ``N = n * n`` points in rows from the top left to the bottom right corner.

    Returns:
        Tensor: ``(B, C, T, H, W)``, black where a place is outside the frame.
    """
    height, width = clips.shape[-2:]
    points = round(offsets.shape[1]**0.5)
    pixels, basis = spline_basis(points, height, width, clips.device)
    # the frame is 2 wide in grid_sample's units
    grid = pixels + basis @ (2 * offsets)
    grid = grid.view(-1, height, width, 2)
    # frames as channels: one grid, so the same warp, for all of them
    warped = F.grid_sample(clips.flatten(1, 2), grid, align_corners=False)
    return warped.view_as(clips)


@MODELS.register_module()
class SpatialWarp(nn.Module):
    """Break the layout of the scene, keep the motion: DSM's positive clips.

    The same warp for all frames of a clip, a new one for each clip and step. Labels stay.

    Example::

        views = [[], [dict(type='SpatialWarp', strength=0.1)], [dict(type='MotionScaling')]]

    Args:
        strength (float): ``C``, the largest offset of a point along an axis as a share of the
            frame's side, in [0, 0.5]; 0 leaves the clips alone. Defaults to 0.1.
        points (int): control points per axis, at least 2; the paper gives no number.
            Defaults to 5.

    Raises:
        ValueError: for values outside these ranges.
    """

    def __init__(self, strength: float = 0.1, points: int = 5) -> None:
        super().__init__()
        if not 0 <= strength <= 0.5 or points < 2:
            raise ValueError('SpatialWarp: strength must lie in [0, 0.5] and points be at least '
                             f'2, got {strength} and {points}')
        self.strength = strength
        self.points = points

    def forward(self, clips: Tensor, targets: ClipTargets) -> Tuple[Tensor, ClipTargets]:
        """Warp the clips; labels stay.

        Args:
            clips (Tensor): ``(B, C, T, H, W)``.
            targets (ClipTargets): returned unchanged.
        """
        num_points = self.points**2
        uniform = torch.rand(len(clips), num_points, 2, device=clips.device)
        offsets = self.strength * (2 * uniform - 1)
        return warp_clips(clips, offsets), targets
