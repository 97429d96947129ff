"""BE: background erasing (Wang et al., CVPR 2021)."""
from typing import Tuple

import torch
from mmaction.registry import MODELS
from torch import Tensor, nn

from devias_mm.augments.data_preprocessor import per_clip
from devias_mm.structures import ClipTargets


def erase_background(clips: Tensor, frame_index: Tensor, weight: Tensor) -> Tensor:
    """Mix one frame of each clip into all its frames: ``x_t <- (1 - lam) x_t + lam x_j``.

    What does not move stays; what moves is overlaid with a static ghost, so that static
    content is no longer a cue.

    Args:
        clips (Tensor): ``(B, C, T, H, W)``.
        frame_index (Tensor): ``j``, int64 ``(B,)``.
        weight (Tensor): ``lam`` in [0, 1], ``(B,)``; 0 leaves a clip alone.

    Returns:
        Tensor: ``(B, C, T, H, W)``.
    """
    rows = torch.arange(len(clips), device=clips.device)
    frame = clips[rows, :, frame_index].unsqueeze(2)
    return torch.lerp(clips, frame, per_clip(weight, clips))


@MODELS.register_module()
class BackgroundErasing(nn.Module):
    """Mix a frame of a clip into all its frames (DEVIAS supp. C.1, Table 19).

    Example::

        augments = [dict(type='BackgroundErasing', max_weight=0.3, ratio=0.5)]

    Args:
        max_weight (float): the mixing weight is drawn from U(0, max_weight).
            Defaults to 0.3.
        ratio (float): share rho of the clips that are mixed, in [0, 1].
            Defaults to 0.5.
        weight_per_clip (bool): draw a weight for each clip; ``False``: one
            for the batch, as the authors' release does. Defaults to True.
    """

    def __init__(self,
                 max_weight: float = 0.3,
                 ratio: float = 0.5,
                 weight_per_clip: bool = True) -> None:
        super().__init__()
        if not (0 <= max_weight <= 1 and 0 <= ratio <= 1):
            raise ValueError('max_weight and ratio must lie in [0, 1], got '
                             f'{max_weight} and {ratio}')
        self.max_weight = max_weight
        self.ratio = ratio
        self.weight_per_clip = weight_per_clip

    def forward(self, clips: Tensor, targets: ClipTargets) -> Tuple[Tensor, ClipTargets]:
        """Erase the background of some of the clips; labels stay.

        Args:
            clips (Tensor): ``(B, C, T, H, W)``.
            targets (ClipTargets): returned unchanged.
        """
        batch = len(clips)
        device = clips.device
        num_weights = 1
        if self.weight_per_clip:
            num_weights = batch
        weight = self.max_weight * torch.rand(num_weights, device=device)
        mixed = torch.rand(batch, device=device) < self.ratio
        frame_index = torch.randint(clips.shape[2], (batch, ), device=device)
        # a clip of weight 0 stays as it is
        weight = weight * mixed
        return erase_background(clips, frame_index, weight), targets
