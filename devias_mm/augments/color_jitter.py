"""Colour jitter of clips, hue included."""
from typing import Tuple

import torch
from kornia.augmentation import ColorJitter
from mmaction.registry import MODELS
from torch import Tensor, nn

from devias_mm.structures import ClipTargets


@MODELS.register_module()
class ClipColorJitter(nn.Module):
    """Jitter the colours of a clip, the same in all its frames, as torchvision's ``ColorJitter``.

    It runs on the device. MMAction2's ``ColorJitter`` cannot change the hue with NumPy 2.

    Example::

        # the basic augmentation of BE's published code
        jitter = dict(type='ClipColorJitter', brightness=0.5, contrast=0.5, saturation=0.25,
                      hue=0.5)

    Args:
        brightness (float): the factor is drawn from U(1 - brightness, 1 + brightness).
            Defaults to 0.
        contrast (float): likewise, around the mean grey of the clip. Defaults to 0.
        saturation (float): likewise, around the grey of each pixel. Defaults to 0.
        hue (float): the shift as a share of the colour circle, in [0, 0.5]. Defaults to 0.
    """

    def __init__(self,
                 brightness: float = 0.0,
                 contrast: float = 0.0,
                 saturation: float = 0.0,
                 hue: float = 0.0) -> None:
        super().__init__()
        self.jitter = ColorJitter(brightness, contrast, saturation, hue, p=1.0)

    def forward(self, clips: Tensor, targets: ClipTargets) -> Tuple[Tensor, ClipTargets]:
        """Jitter; labels stay.

        Args:
            clips (Tensor): in [0, 1], ``(B, 3, T, H, W)``.
            targets (ClipTargets): returned unchanged.
        """
        # frames as one tall image: one jitter for all of them
        images = clips.flatten(2, 3)
        with torch.no_grad():
            jittered = self.jitter(images)
        return jittered.view_as(clips), targets
