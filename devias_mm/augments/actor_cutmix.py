"""ActorCutMix (Zou et al.): actors cut out and put onto another clip."""
from dataclasses import replace
from typing import Tuple

import torch
from mmaction.registry import MODELS
from torch import Tensor, nn

from devias_mm.augments.data_preprocessor import per_clip
from devias_mm.augments.mixing import mix_labels, soft_labels
from devias_mm.augments.scene_mix import composite
from devias_mm.structures import ClipTargets


@MODELS.register_module()
class ActorCutMix(nn.Module):
    """Paste a clip's actors onto its partner, and mix the action labels.

    ``x <- x h + x' (1 - h)`` and ``y <- w y + (1 - w) y'`` with
    ``w = 1 - (1 - r) ** 4``, ``r`` the share of masked pixels of the clip over
    all frames. The partner is the clip at the same place of the reversed
    batch. Clips whose masks are empty or full, and the middle clip of an odd
    batch, stay as they are. Needs ``targets.masks``: put a mask source
    before it.

    The scene label becomes the partner's, whose scene is what can be seen
    now (as in :class:`SceneMix`). The partner's own actors remain where they
    are not covered, so the masks become the union of both.

    Args:
        num_classes (int): action classes ``Na``; labels become probabilities
            ``(B, Na)``.
        ratio (float): share of the clips, each drawn independently, in [0, 1].
            Defaults to 0.5.
    """

    def __init__(self, num_classes: int, ratio: float = .5) -> None:
        super().__init__()
        if not 0 <= ratio <= 1:
            raise ValueError(f'ratio must lie in [0, 1], got {ratio}')
        self.num_classes = num_classes
        self.ratio = ratio

    def forward(self, clips: Tensor, targets: ClipTargets) -> Tuple[Tensor, ClipTargets]:
        """Mix.

        Args:
            clips (Tensor): ``(B, C, T, H, W)``.
            targets (ClipTargets): with ``masks``, ``(B, T', H, W)`` in [0, 1].

        Returns:
            tuple[Tensor, ClipTargets]: ``action`` is float ``(B, Na)``.

        Raises:
            ValueError: without masks.
        """
        masks, clip_mask = targets.masks, targets.clip_mask
        if masks is None:
            raise ValueError('ActorCutMix needs foreground masks: put a mask source, for example '
                             "dict(type='FAMEMasks'), before it in `augments`")
        batch = len(clips)
        partner = torch.arange(batch - 1, -1, -1, device=clips.device)
        share = masks.mean((1, 2, 3))
        mixed = (torch.rand(batch, device=clips.device) < self.ratio) & (share > 0) & (share < 1)
        # a clip that is left alone covers its partner everywhere
        own = masks.masked_fill(~per_clip(mixed, masks), 1.)
        weight = 1 - (1 - own.mean((1, 2, 3)))**4
        scene = targets.scene
        if scene is not None:
            scene = torch.where(per_clip(mixed, scene), scene[partner], scene)
        if clip_mask is not None:
            alone = ~per_clip(mixed, clip_mask)
            clip_mask = torch.lerp(clip_mask[partner], clip_mask, clip_mask.masked_fill(alone, 1.))
        return composite(clips, clips[partner], own), replace(
            targets,
            action=mix_labels(soft_labels(targets.action, self.num_classes), partner, weight),
            scene=scene, masks=torch.lerp(masks[partner], masks, own), clip_mask=clip_mask)
