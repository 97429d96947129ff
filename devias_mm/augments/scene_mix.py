"""Scene augmentation: cut a foreground out, paste it onto another clip's scene."""
from dataclasses import replace
from typing import Tuple

import torch
from mmaction.registry import MODELS
from torch import Tensor, nn

from devias_mm.augments.data_preprocessor import per_clip
from devias_mm.structures import ClipTargets


def composite(clips: Tensor, donors: Tensor, masks: Tensor) -> Tensor:
    """Paste foregrounds onto backgrounds: ``V_i * H_i + V_j * (1 - H_i)`` (DEVIAS, Eq. 8).

    Args:
        clips (Tensor): foreground clips ``V_i``, ``(B, C, T, H, W)``.
        donors (Tensor): background clips ``V_j``, like ``clips``.
        masks (Tensor): ``H_i`` in [0, 1], ``(B, H, W)`` or ``(B, T', H, W)``
            with ``T'`` dividing ``T``.

    Returns:
        Tensor: like ``clips``.

    Raises:
        ValueError: when ``T'`` does not divide ``T``.
    """
    frames = clips.shape[2]
    if masks.dim() == 3:
        masks = masks.unsqueeze(1)
    if frames % masks.shape[1]:
        raise ValueError(f'{masks.shape[1]} masks per clip do not go into {frames} frames: '
                         'choose an even clip_len')
    # one mask broadcasts over time by itself
    if masks.shape[1] > 1:
        frames_per_mask = frames // masks.shape[1]
        masks = masks.repeat_interleave(frames_per_mask, dim=1)
    return torch.lerp(donors, clips, masks.unsqueeze(1))


def take_scenes(scene: Tensor, donor: Tensor, mixed: Tensor) -> Tensor:
    """Return the donors' scene labels where a clip was mixed, else its own.

    Args:
        scene (Tensor): int64 ``(B,)`` or float ``(B, Ns)``.
        donor (Tensor): row of each clip's donor, int64 ``(B,)``.
        mixed (Tensor): bool ``(B,)``.

    Returns:
        Tensor: like ``scene``.
    """
    return torch.where(per_clip(mixed, scene), scene[donor], scene)


@MODELS.register_module()
class SceneMix(nn.Module):
    """Replace the background of some clips by another clip of the batch.

    The action label and the masks stay with the foreground; the scene label
    becomes the donor's, whose scene is what can be seen now. The order of
    the batch does not change. Needs ``targets.masks``: put a mask source
    (:class:`FAMEMasks`) before it.

    Example::

        augments = [dict(type='FAMEMasks', tau=0.3), dict(type='SceneMix', ratio=0.5)]

    Args:
        ratio (float): share rho of mixed clips, each drawn independently.
            Defaults to 0.5.
        mask (str): ``'clip'``, one mask for all frames (the papers), or
            ``'frame'``, the mask of each frame. Defaults to 'clip'.
    """

    def __init__(self, ratio: float = 0.5, mask: str = 'clip') -> None:
        super().__init__()
        if not 0 <= ratio <= 1:
            raise ValueError(f'ratio must lie in [0, 1], got {ratio}')
        if mask not in ('clip', 'frame'):
            raise ValueError(f"mask must be 'clip' or 'frame', got {mask!r}")
        self.ratio = ratio
        self.mask = mask

    def forward(self, clips: Tensor, targets: ClipTargets) -> Tuple[Tensor, ClipTargets]:
        """Replace the backgrounds of some of the clips.

        Args:
            clips (Tensor): ``(B, C, T, H, W)``.
            targets (ClipTargets): with ``masks`` and ``clip_mask``.

        Returns:
            tuple[Tensor, ClipTargets]: the scene label follows the donor.

        Raises:
            ValueError: without masks.
        """
        masks = targets.masks
        if self.mask == 'clip':
            masks = targets.clip_mask
        if masks is None:
            raise ValueError('SceneMix needs foreground masks: put a mask source, for example '
                             "dict(type='FAMEMasks'), before it in `augments`")
        donor = torch.randperm(len(clips), device=clips.device)
        mixed = torch.rand(len(clips), device=clips.device) < self.ratio
        composites = composite(clips, clips[donor], masks)
        output = torch.where(per_clip(mixed, clips), composites, clips)
        if targets.scene is not None:
            # what can be seen now is the donor's scene
            targets = replace(targets, scene=take_scenes(targets.scene, donor, mixed))
        return output, targets
