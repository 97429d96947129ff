"""DEVIAS (Bae, Ahn, Kim and Choi, ECCV 2024)."""
from typing import Dict, NamedTuple, Optional, Sequence, Tuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmaction.utils import SampleList
from torch import Tensor

from devias_mm.layers import MaskDecoder, SlotAttention, assign_slots, pool_masks
from devias_mm.layers.slot_assignment import ASSIGNMENTS
from devias_mm.structures import ClipTargets

from . import devias_losses as losses
from .base import DebiasRecognizer, accuracy


class SlotOutput(NamedTuple):
    """``slots`` (B, K, D), ``attention`` (B, K, N), ``logits`` (B, K, Na + Ns), ``grid``."""
    slots: Tensor
    attention: Tensor
    logits: Tensor
    grid: Tuple[int, int, int]


def _rows(tensor: Tensor, index: Tensor) -> Tensor:
    """``tensor[b, index[b]]`` for every b."""
    return tensor[torch.arange(len(tensor), device=tensor.device), index]


@MODELS.register_module()
class DEVIAS(DebiasRecognizer):
    r"""Disentangled action and scene slots.

    .. math:: L = L_{DE} + \alpha L_{AMD} + \beta L_{AG} + \gamma L_{cos}

    (Eq. 7), with the disentangling loss of Eq. 5 on a unified head, the
    action-mask decoding loss of Eq. 6, attention guidance and the cosine term.
    Needs foreground masks in the targets (``FAMEMasks`` in the data
    preprocessor) unless :math:`\alpha = \beta = 0`, and scene labels or a
    teacher.

    Args:
        slot_attention (dict): arguments of
            :class:`~devias_mm.layers.SlotAttention`: ``num_slots`` K,
            ``num_iters`` M ...
        mask_weight (float): :math:`\alpha`. Defaults to 1.
        guidance_weight (float): :math:`\beta`. Defaults to 1.
        cosine_weight (float): :math:`\gamma`. Defaults to 1.
        scene_weight (float): factor of the scene part of Eq. 5. Defaults to 1.
        mask_hidden_dims (sequence[int]): of the mask decoder.
            Defaults to ``(512, 256)``.
        assignment (str): see :func:`~devias_mm.layers.assign_slots`.
            Defaults to 'hungarian' (paper). From scratch on little data
            ``'batch'`` specialises the slots better (docs/puppets.md).
        assignment_cost (str): ``'cross_entropy'`` (paper) or ``'probability'``.
        scene_loss (str): ``'ce'`` (paper) or ``'kl'`` towards the teacher
            (published code; with hard labels both are the same up to scale).
        mask_loss (str): ``'bce'`` (paper) or ``'double_sigmoid_bce'``.
        mask_target (str): ``'temporal_mean'`` of the frame masks (paper) or
            ``'clip'``, the separate clip mask (published code).
        guidance_reduction (str): ``'sum'`` (paper) or ``'mean'``.
        cosine (str): ``'printed'`` (paper), ``'signed'`` (published code) or
            ``'absolute'``; see :func:`~.devias_losses.cosine_loss`.
        unified_argmax (bool): a scene class may win the action prediction and
            then counts as an error (published code); ``False``: the argmax is
            taken over the task's own classes. Defaults to False.
        **kwargs: of :class:`DebiasRecognizer`.
    """

    def __init__(self,
                 *args,
                 slot_attention: Optional[dict] = None,
                 mask_weight: float = 1.,
                 guidance_weight: float = 1.,
                 cosine_weight: float = 1.,
                 scene_weight: float = 1.,
                 mask_hidden_dims: Sequence[int] = (512, 256),
                 assignment: str = 'hungarian',
                 assignment_cost: str = 'cross_entropy',
                 scene_loss: str = 'ce',
                 mask_loss: str = 'bce',
                 mask_target: str = 'temporal_mean',
                 guidance_reduction: str = 'sum',
                 cosine: str = 'printed',
                 unified_argmax: bool = False,
                 **kwargs) -> None:
        super().__init__(*args, **kwargs)
        for name, value, known in (
                ('assignment', assignment, ASSIGNMENTS),
                ('assignment_cost', assignment_cost, losses.MATCHING_COSTS),
                ('scene_loss', scene_loss, losses.SCENE_LOSSES),
                ('mask_loss', mask_loss, losses.MASK_LOSSES),
                ('mask_target', mask_target, ('temporal_mean', 'clip')),
                ('guidance_reduction', guidance_reduction, ('sum', 'mean')),
                ('cosine', cosine, losses.COSINE_LOSSES)):
            if value not in known:
                raise ValueError(f'{name} must be one of {known}, got {value!r}')
        if self.num_scene_classes < 1:
            raise ValueError('DEVIAS predicts scenes: set num_scene_classes')
        self.slot_attention = SlotAttention(self.embed_dims, **(slot_attention or {}))
        self.head = nn.Linear(self.embed_dims, self.num_classes + self.num_scene_classes)
        _, height, width = self.backbone.grid
        self.mask_decoder = MaskDecoder(self.embed_dims, height * width, mask_hidden_dims) \
            if mask_weight else None
        self.mask_weight = mask_weight
        self.guidance_weight = guidance_weight
        self.cosine_weight = cosine_weight
        self.scene_weight = scene_weight
        self.assignment = assignment
        self.assignment_cost = assignment_cost
        self.scene_loss = scene_loss
        self.mask_loss = mask_loss
        self.mask_target = mask_target
        self.guidance_reduction = guidance_reduction
        self.cosine = cosine
        self.unified_argmax = unified_argmax

    def encode_slots(self, clips: Tensor) -> SlotOutput:
        """Disentangling encoder and unified head.

        Args:
            clips (Tensor): normalised, ``(B, C, T, H, W)``.
        """
        features = self.extract_feat(clips)
        slots, attention = self.slot_attention(features.tokens)
        return SlotOutput(slots, attention, self.head(self.dropout(slots)), features.grid)

    def loss(self, inputs: Tensor, data_samples: SampleList, targets: ClipTargets) -> dict:
        """Eq. 7; see the base class."""
        clips = inputs.flatten(0, 1)
        scene_label, scene_soft = self.scene_targets(clips, targets)
        scene_label = scene_label + self.num_classes
        output = self.encode_slots(clips)
        costs = losses.matching_costs(output.logits, targets.action, scene_label,
                                      self.assignment_cost)
        action_slot, scene_slot = assign_slots(*costs, self.assignment)
        return self.losses_of_assignment(output, action_slot, scene_slot, targets,
                                         scene_label, scene_soft)

    def losses_of_assignment(self, output: SlotOutput, action_slot: Tensor, scene_slot: Tensor,
                             targets: ClipTargets, scene_label: Tensor,
                             scene_soft: Optional[Tensor] = None) -> dict:
        """All terms, given which slot is which.

        Args:
            output (SlotOutput): of :meth:`encode_slots`.
            action_slot (Tensor): int64 ``(B,)``.
            scene_slot (Tensor): int64 ``(B,)``.
            targets (ClipTargets): action labels and masks.
            scene_label (Tensor): scene class plus ``Na``, int64 ``(B,)``.
            scene_soft (Tensor, optional): teacher logits ``(B, Ns)``.
        """
        action_logits = _rows(output.logits, action_slot)
        scene_logits = _rows(output.logits, scene_slot)
        if self.scene_loss == 'kl' and scene_soft is not None:
            scene_term = losses.scene_kl(scene_logits, scene_soft, self.num_classes)
        else:
            scene_term = F.cross_entropy(scene_logits, scene_label)
        result = dict(
            loss_action=F.cross_entropy(action_logits, targets.action),
            loss_scene=self.scene_weight * scene_term,
            action_top1=accuracy(action_logits, targets.action),
            scene_top1=accuracy(scene_logits, scene_label),
            # share of clips whose action slot is slot 0 (Figure 5)
            action_slot0=100 * (action_slot == 0).float().mean())
        if self.mask_weight or self.guidance_weight:
            result.update(self.mask_terms(output, action_slot, targets))
        if self.cosine_weight:
            result['loss_cosine'] = self.cosine_weight * losses.cosine_loss(
                output.slots, self.cosine)
        return result

    def mask_terms(self, output: SlotOutput, action_slot: Tensor, targets: ClipTargets) -> dict:
        """Eq. 6 and the attention guidance, both on the action slot."""
        if targets.masks is None:
            raise ValueError('the mask losses of DEVIAS need foreground masks: add '
                             "dict(type='FAMEMasks') to data_preprocessor.augments, or set "
                             'mask_weight=0 and guidance_weight=0')
        frame_masks = pool_masks(targets.masks, output.grid)  # (B, t, h * w)
        result = {}
        if self.guidance_weight:
            result['loss_guidance'] = self.guidance_weight * losses.guidance_loss(
                _rows(output.attention, action_slot), frame_masks.flatten(1),
                self.guidance_reduction)
        if self.mask_weight:
            target = frame_masks.mean(1)
            if self.mask_target == 'clip':
                target = pool_masks(targets.clip_mask[:, None], (1, *output.grid[1:]))[:, 0]
            mask_logits = self.mask_decoder(_rows(output.slots, action_slot))
            result['loss_mask'] = self.mask_weight * losses.mask_loss(
                mask_logits, target, self.mask_loss)
        return result

    def probabilities(self, clips: Tensor) -> Dict[str, Tensor]:
        """Predictions of the slots chosen by highest probability (section 3.3).

        The softmax runs over all ``Na + Ns`` classes; the action (scene) slot
        is the one with the most probable action (scene) class. Both may be
        the same slot.

        Returns:
            dict: ``action`` ``(B, Na)``, or ``(B, Na + Ns)`` with
            ``unified_argmax``; ``scene`` ``(B, Ns)``.
        """
        probability = self.encode_slots(clips).logits.float().softmax(-1)
        action, scene = probability.split([self.num_classes, self.num_scene_classes], dim=-1)
        action_slot = action.amax(-1).argmax(1)
        scene_slot = scene.amax(-1).argmax(1)
        return dict(action=_rows(probability if self.unified_argmax else action, action_slot),
                    scene=_rows(scene, scene_slot))

    def logits(self, clips: Tensor) -> Dict[str, Tensor]:
        """Log-probabilities of :meth:`probabilities`; see the base class."""
        return {name: value.log() for name, value in self.probabilities(clips).items()}
