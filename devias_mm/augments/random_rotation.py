"""Random rotation of clips, the basic augmentation of DSM's and BE's published code."""
from typing import Tuple

import torch
from kornia.geometry.transform import rotate
from mmaction.registry import MODELS
from torch import Tensor, nn

from devias_mm.structures import ClipTargets


@MODELS.register_module()
class RandomRotation(nn.Module):
    """Rotate all frames of a clip alike, by an angle of its own; what comes into view is black.

    Labels stay. Masks would no longer fit, so the augmentation is for views that have none.

    Example::

        data_preprocessor = dict(type='ContrastiveDataPreprocessor', views=[
            [dict(type='RandomRotation', degrees=10)], [dict(type='RandomRotation', degrees=10)]])

    Args:
        degrees (float): the angle is drawn from U(-degrees, degrees). Defaults to 10.

    Raises:
        ValueError: ``degrees`` is not in [0, 180].
    """

    def __init__(self, degrees: float = 10.0) -> None:
        super().__init__()
        if not 0 <= degrees <= 180:
            raise ValueError(f'RandomRotation: degrees must be in [0, 180], got {degrees}')
        self.degrees = degrees

    def forward(self, clips: Tensor, targets: ClipTargets) -> Tuple[Tensor, ClipTargets]:
        """Rotate the clips; labels stay.

        Args:
            clips (Tensor): ``(B, C, T, H, W)``.
            targets (ClipTargets): without masks; returned unchanged.

        Raises:
            ValueError: the targets have masks.
        """
        if targets.masks is not None:
            raise ValueError('RandomRotation does not rotate foreground masks: leave it out, or '
                             'the mask source')
        uniform = torch.rand(len(clips), device=clips.device)
        angles = self.degrees * (2 * uniform - 1)
        # frames as channels: one angle for all of them
        frames = clips.flatten(1, 2)
        return rotate(frames, angles).view_as(clips), targets
