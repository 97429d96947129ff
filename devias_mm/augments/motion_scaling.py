"""Optical-flow scaling (DSM, "Temporal Local Disturbance", Eq. 3)."""
from typing import Tuple

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor, nn

from devias_mm.structures import ClipTargets


def warp_by_flow(frames: Tensor, flow: Tensor) -> Tensor:
    """Return ``I(x + V_x, y + V_y)``, the frame as seen from displaced pixels.

    Args:
        frames (Tensor): ``(B, C, H, W)``.
        flow (Tensor): ``(V_x, V_y)`` in pixels, ``(B, 2, H, W)``.

    Returns:
        Tensor: ``(B, C, H, W)``, black where a pixel is from outside the frame.
    """
    height, width = frames.shape[-2:]
    x = torch.linspace(-1, 1, width, device=frames.device)
    y = torch.linspace(-1, 1, height, device=frames.device)
    # with align_corners, the centres of the first and the last pixel are 2 apart
    moved_x = x + flow[:, 0] * (2 / (width - 1))
    moved_y = y[:, None] + flow[:, 1] * (2 / (height - 1))
    grid = torch.stack([moved_x, moved_y], dim=-1)
    return F.grid_sample(frames, grid, align_corners=True)


def scale_motion(clips: Tensor, flow: Tensor, phi: Tensor) -> Tensor:
    """Scale the motion of clips (DSM, Eq. 3): ``I'(x, y, t + 1) = I(x + phi V_x, y + phi V_y, t)``.

    The first frame stays. As printed, each frame is warped from the *input's* frame before:
    ``phi = 1`` gives back the clip (as far as the flow is right), ``phi = 0`` repeats frame
    ``t`` at ``t + 1``, ``phi = 2`` moves what moves twice as far.

    Args:
        clips (Tensor): ``I``, ``(B, C, T, H, W)``.
        flow (Tensor): ``V``, backward, in pixels, ``(B, 2, T - 1, H, W)``.
        phi (Tensor): at least 0, ``(B, T - 1)``.

    Returns:
        Tensor: ``(B, C, T, H, W)``, with the black boundary that the paper speaks of.
    """
    factors = phi[:, None, :, None, None]
    field = flow.to(clips.dtype) * factors
    field = field.transpose(1, 2)  # (B, T - 1, 2, H, W)
    frames = clips.transpose(1, 2)
    first = frames[:, :1]
    before = frames[:, :-1]
    warped = warp_by_flow(before.flatten(0, 1), field.flatten(0, 1))
    warped = warped.unflatten(0, field.shape[:2])
    scaled = torch.cat([first, warped], dim=1)
    return scaled.transpose(1, 2)


@MODELS.register_module()
class MotionScaling(nn.Module):
    """Break the motion, keep the scene: DSM's negative clips.

    ``phi`` is drawn from U[0, M] for each clip and each step of time. Needs ``targets.flow``:
    ``BackwardFlow`` in the pipeline and ``ContrastiveDataPreprocessor``.

    Example::

        # with dict(type='BackwardFlow', view=2) after ContrastiveViews in the pipeline
        views = [[], [dict(type='SpatialWarp')], [dict(type='MotionScaling', maximum=5.0)]]

    Args:
        maximum (float): ``M``, at least 0. Defaults to 5, the paper's best.

    Raises:
        ValueError: for a negative ``maximum``.
    """

    def __init__(self, maximum: float = 5.0) -> None:
        super().__init__()
        if maximum < 0:
            raise ValueError(f'MotionScaling: maximum must be at least 0, got {maximum}')
        self.maximum = maximum

    def forward(self, clips: Tensor, targets: ClipTargets) -> Tuple[Tensor, ClipTargets]:
        """Scale the motion; labels stay.

        Args:
            clips (Tensor): ``(B, C, T, H, W)``.
            targets (FlowTargets): with ``flow`` ``(B, 2, T - 1, H, W)``.

        Raises:
            ValueError: without flow, or with that of clips of another size.
        """
        flow = getattr(targets, 'flow', None)
        if flow is None:
            raise ValueError(
                "MotionScaling needs optical flow: put dict(type='BackwardFlow') after "
                "ContrastiveViews, name 'flow' in the algorithm_keys of PackActionInputs, and use "
                'ContrastiveDataPreprocessor')
        batch, _, frames, height, width = clips.shape
        if flow.shape != (batch, 2, frames - 1, height, width):
            raise ValueError(f'MotionScaling: flow of shape {tuple(flow.shape)} does not fit '
                             f'clips of shape {tuple(clips.shape)}: compute it last, after all '
                             'crops and resizes')
        phi = self.maximum * torch.rand(batch, frames - 1, device=clips.device)
        return scale_motion(clips, flow, phi), targets
