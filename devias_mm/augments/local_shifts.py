"""Local shifts: the warp of DSM's published code."""
from typing import Tuple

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor, nn

from devias_mm.structures import ClipTargets


def shift_locally(clips: Tensor, centres: Tensor, offsets: Tensor, radius: float) -> Tensor:
    """Move the content of discs of a clip, the same in all frames.

    The output at ``p`` shows the input at ``p - sum_i w_i(p) offset_i`` with
    ``w_i(p) = max(1 - |p - centre_i|^2 / radius^2, 0)^2``: a centre's content moves by the whole
    offset, and nothing moves from the radius on.

    Args:
        clips (Tensor): ``(B, C, T, H, W)``.
        centres (Tensor): ``(B, N, 2)``, (x, y) as shares of the frame's width and height.
        offsets (Tensor): like ``centres``; (0, 0) leaves a disc alone.
        radius (float): of the discs, as a share of the frame's sides.

    Returns:
        Tensor: ``(B, C, T, H, W)``.
    """
    height, width = clips.shape[-2:]
    x = (torch.arange(width, device=clips.device) + 0.5) / width
    y = (torch.arange(height, device=clips.device) + 0.5) / height
    x, y = torch.meshgrid(x, y, indexing='xy')
    pixels = torch.stack([x, y], dim=-1)  # (H, W, 2)
    away = pixels - centres[:, :, None, None]  # (B, N, H, W, 2)
    squared_distance = away.square().sum(-1)
    weights = (1 - squared_distance / radius**2).clamp_min(0).square()
    moved_by = torch.einsum('bnhw,bnc->bhwc', weights, offsets)
    places = pixels - moved_by
    # the frame is 2 wide in grid_sample's units
    grid = 2 * places - 1
    # frames as channels: one grid for all of them
    frames = clips.flatten(1, 2)
    shifted = F.grid_sample(frames, grid, padding_mode='border', align_corners=False)
    return shifted.view_as(clips)


@MODELS.register_module()
class LocalShifts(nn.Module):
    """Break the layout of the scene by one to three local shifts (published code of DSM).

    Each clip gets shifts of its own, the same in all its frames. Where the discs are and how
    far they move is not published in numbers: centres are uniform over the frame, offsets
    uniform in ``[-strength, strength]`` along each axis.

    Example::

        # the published order: the anchor is warped, the positive is not
        views = [[dict(type='LocalShifts')], [], [dict(type='MotionScaling')]]

    Args:
        maximum (int): largest number of shifts of a clip, at least 1. Defaults to 3.
        strength (float): largest offset as a share of the frame's side, in [0, 0.5].
            Defaults to 0.1.
        radius (float): of a disc as a share of the frame's side, positive. Defaults to 0.25.

    Raises:
        ValueError: for values outside these ranges.
    """

    def __init__(self, maximum: int = 3, strength: float = 0.1, radius: float = 0.25) -> None:
        super().__init__()
        if maximum < 1 or not 0 <= strength <= 0.5 or radius <= 0:
            raise ValueError('LocalShifts: maximum must be at least 1, strength in [0, 0.5] and '
                             f'radius positive, got {maximum}, {strength} and {radius}')
        self.maximum = maximum
        self.strength = strength
        self.radius = radius

    def forward(self, clips: Tensor, targets: ClipTargets) -> Tuple[Tensor, ClipTargets]:
        """Shift; labels stay.

        Args:
            clips (Tensor): ``(B, C, T, H, W)``.
            targets (ClipTargets): returned unchanged.
        """
        batch = len(clips)
        device = clips.device
        centres = torch.rand(batch, self.maximum, 2, device=device)
        uniform = torch.rand(batch, self.maximum, 2, device=device)
        offsets = self.strength * (2 * uniform - 1)
        # all discs are drawn, so that the host need not know how many each clip uses
        count = torch.randint(1, self.maximum + 1, (batch, 1), device=device)
        used = torch.arange(self.maximum, device=device) < count
        offsets = offsets * used.unsqueeze(-1)
        return shift_locally(clips, centres, offsets, self.radius), targets
