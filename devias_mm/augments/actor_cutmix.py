"""ActorCutMix (Zou et al.): actors cut out and put onto another clip's background."""
from dataclasses import replace
from typing import Tuple

import torch
from mmaction.registry import MODELS
from torch import Tensor, nn

from devias_mm.augments.data_preprocessor import per_clip
from devias_mm.augments.mixing import mix_labels, soft_labels
from devias_mm.augments.scene_mix import composite, take_scenes
from devias_mm.structures import ClipTargets


def remove_actors(clips: Tensor, masks: Tensor, colour: Tensor) -> Tensor:
    """Fill the actors of each clip with one colour.

    A clip without a mask is filled as a whole, as in the published code: nothing says where its
    actors are.

    Args:
        clips (Tensor): ``(B, C, T, H, W)``.
        masks (Tensor): of the actors, in [0, 1], ``(B, T', H, W)`` with ``T'`` dividing ``T``.
        colour (Tensor): ``(C,)``.

    Returns:
        Tensor: like ``clips``.
    """
    empty = masks.flatten(1).amax(1) == 0
    filled = masks.masked_fill(per_clip(empty, masks), 1.0)
    plain = colour.view(1, -1, 1, 1, 1).expand_as(clips)
    return composite(plain, clips, filled)


@MODELS.register_module()
class ActorCutMix(nn.Module):
    r"""Paste a clip's actors onto its partner's background, and mix the action labels.

    .. math::
        x \leftarrow x h + x' (1 - h') (1 - h), \quad y \leftarrow w y + (1 - w) y', \quad
        w = 1 - (1 - r)^4

    with ``h`` the mask of the actors and ``r`` its share of the pixels of all frames. The
    partner (primed) is the clip at the same place of the reversed batch. Where its own actors
    were, the mean colour of the data preprocessor is shown, which normalisation maps to 0; a
    partner without a mask shows nothing else. Clips whose masks are empty or full, and the middle
    clip of an odd batch, stay as they are. The augmentation needs ``targets.masks``: put a mask
    source before it.

    The scene label becomes the partner's, whose scene is what can be seen now (as in
    :class:`SceneMix`). The masks stay: the actors are those of the clip.

    Example::

        model = dict(data_preprocessor=dict(type='DebiasDataPreprocessor', augments=[
            dict(type='ActorCutMix', num_classes=101, ratio=0.5)]))  # masks come with the samples

    Args:
        num_classes (int): action classes ``Na``; labels become probabilities ``(B, Na)``.
        ratio (float): share of the clips, each drawn independently, in [0, 1].
            Defaults to 0.5.
    """

    def __init__(self, num_classes: int, ratio: float = 0.5) -> None:
        super().__init__()
        if not 0 <= ratio <= 1:
            raise ValueError(f'ratio must lie in [0, 1], got {ratio}')
        self.num_classes = num_classes
        self.ratio = ratio
        # the data preprocessor sets it: black, if it does not normalise
        self.register_buffer('mean_colour', torch.zeros(3), persistent=False)

    def forward(self, clips: Tensor, targets: ClipTargets) -> Tuple[Tensor, ClipTargets]:
        """Paste the actors of some of the clips onto their partners' backgrounds.

        Args:
            clips (Tensor): in [0, 1], ``(B, 3, T, H, W)``.
            targets (ClipTargets): with ``masks``, ``(B, T', H, W)`` in [0, 1].

        Returns:
            tuple[Tensor, ClipTargets]: ``action`` is float ``(B, Na)``.

        Raises:
            ValueError: without masks.
        """
        masks = targets.masks
        if masks is None:
            raise ValueError('ActorCutMix needs foreground masks: put a mask source, for example '
                             "dict(type='FAMEMasks'), before it in `augments`")
        rows = torch.arange(len(clips), device=clips.device)
        partner = rows.flip(0)
        share = masks.mean((1, 2, 3))
        drawn = torch.rand(len(clips), device=clips.device) < self.ratio
        separable = (share > 0) & (share < 1)
        mixed = drawn & separable & (partner != rows)
        # a clip that is left alone covers its partner everywhere
        own = masks.masked_fill(~per_clip(mixed, masks), 1.0)
        colour = self.mean_colour.to(clips.dtype)
        backgrounds = remove_actors(clips, masks, colour)
        output = composite(clips, backgrounds[partner], own)
        background_share = 1 - own.mean((1, 2, 3))
        weight = 1 - background_share**4
        action = soft_labels(targets.action, self.num_classes)
        targets = replace(targets, action=mix_labels(action, partner, weight))
        if targets.scene is not None:
            targets.scene = take_scenes(targets.scene, partner, mixed)
        return output, targets
