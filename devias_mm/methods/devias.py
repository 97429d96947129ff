"""DEVIAS (Bae, Ahn, Kim and Choi, ECCV 2024)."""
import math
from typing import Dict, NamedTuple, Optional, Sequence, Tuple, Union

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmaction.utils import SampleList
from torch import Tensor

from devias_mm.layers import (
    MaskDecoder,
    SlotAttention,
    assign_slots,
    attention_input,
    extra_token_attention,
    pool_masks,
)
from devias_mm.layers.slot_assignment import ASSIGNMENTS
from devias_mm.methods import devias_losses as losses
from devias_mm.methods.base import DebiasRecognizer, accuracy, hard_labels, pad_labels
from devias_mm.structures import ClipTargets


class SlotOutput(NamedTuple):
    """``slots`` (B, K, D), ``attention`` (B, K, N), ``logits`` (B, K, Na + Ns), ``grid``."""
    slots: Tensor
    attention: Tensor
    logits: Tensor
    grid: Tuple[int, int, int]


def _rows(tensor: Tensor, index: Tensor) -> Tensor:
    """``tensor[b, index[b]]`` for every b."""
    return tensor[torch.arange(len(tensor), device=tensor.device), index]


def _shares(name: str, slots: Tensor, num_slots: int) -> Dict[str, Tensor]:
    """Percent of the clips in which each slot has a role (Figure 5), on the device."""
    # F.one_hot would look at the largest value, and wait for the device
    ids = torch.arange(num_slots, device=slots.device)
    shares = 100 * (slots[:, None] == ids).float().mean(0)
    return {f'{name}{k}': share for k, share in enumerate(shares)}


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
        disentangling (str): ``'slots'`` (paper) or ``'tokens'``, without the
            disentangling encoder (Table 6 a): the backbone's two extra tokens
            are the slots, the first for the action and the second for the
            scene, as in Two-Token; guidance acts on the action token's
            attention in the last block, a softmax over tokens. Leave
            ``slot_attention`` out then, and set ``num_extra_tokens=2``.
        mask_weight (float): :math:`\alpha`. Defaults to 1.
        guidance_weight (float): :math:`\beta`. Defaults to 1.
        cosine_weight (float): :math:`\gamma`. Defaults to 1.
        scene_weight (float): factor of the scene part of Eq. 5. With
            ``scene_loss='kl'`` it is that of the divergence alone. Defaults to 1.
        mask_hidden_dims (sequence[int]): of the mask decoder.
            Defaults to ``(512, 256)``.
        decoder_target (str): what the decoder reconstructs (Table 6 c):
            ``'mask'``, Eq. 6 (paper), or ``'pixel'``, the foreground's RGB
            values by mean squared error, see
            :func:`~.devias_losses.foreground_pixels`.
        decoder_slots (str): the slots that the action masks are decoded from
            (Table 6 c): ``'action'`` (paper), ``'scene'`` or ``'both'``, the sum of
            the two losses. The target is always the action's.
        assignment (str): see :func:`~devias_mm.layers.assign_slots`.
            Defaults to 'hungarian' (paper). From scratch on little data
            ``'batch'`` specialises the slots better (docs/puppets.md). With
            ``'hard'`` the roles are fixed in the prediction as well.
        assignment_cost (str): ``'cross_entropy'`` (paper) or ``'probability'``.
        scene_loss (str): ``'ce'`` (paper) or ``'kl'`` towards the teacher
            (published code). Hard labels get the cross entropy, without
            ``scene_weight`` if this is ``'kl'`` (published code on HVU).
        mask_loss (str): ``'bce'`` (paper) or ``'double_sigmoid_bce'``.
        mask_target (str): ``'temporal_mean'`` of the frame masks (paper) or
            ``'clip'``, the separate clip mask (published code).
        guidance_reduction (str): ``'sum'`` (paper) or ``'mean'``.
        cosine (str): ``'printed'`` (paper), ``'signed'`` (published code) or
            ``'absolute'``; see :func:`~.devias_losses.cosine_loss`.
        unified_argmax (bool | str): ``False``: the argmax of a prediction is
            taken over the task's own classes; ``True``: a scene class may win
            the action prediction and then counts as an error (published code);
            ``'both'``: also the other way round (published code on HVU).
            Defaults to False.
        **kwargs: of :class:`DebiasRecognizer`.
    """

    def __init__(self,
                 *args,
                 slot_attention: Optional[dict] = None,
                 disentangling: str = 'slots',
                 mask_weight: float = 1.,
                 guidance_weight: float = 1.,
                 cosine_weight: float = 1.,
                 scene_weight: float = 1.,
                 mask_hidden_dims: Sequence[int] = (512, 256),
                 decoder_target: str = 'mask',
                 decoder_slots: str = 'action',
                 assignment: str = 'hungarian',
                 assignment_cost: str = 'cross_entropy',
                 scene_loss: str = 'ce',
                 mask_loss: str = 'bce',
                 mask_target: str = 'temporal_mean',
                 guidance_reduction: str = 'sum',
                 cosine: str = 'printed',
                 unified_argmax: Union[bool, str] = False,
                 **kwargs) -> None:
        super().__init__(*args, **kwargs)
        for name, value, known in (
                ('disentangling', disentangling, ('slots', 'tokens')),
                ('decoder_target', decoder_target, losses.DECODER_TARGETS),
                ('decoder_slots', decoder_slots, losses.DECODED_SLOTS),
                ('assignment', assignment, ASSIGNMENTS),
                ('assignment_cost', assignment_cost, losses.MATCHING_COSTS),
                ('scene_loss', scene_loss, losses.SCENE_LOSSES),
                ('mask_loss', mask_loss, losses.MASK_LOSSES),
                ('mask_target', mask_target, ('temporal_mean', 'clip')),
                ('guidance_reduction', guidance_reduction, ('sum', 'mean')),
                ('cosine', cosine, losses.COSINE_LOSSES),
                ('unified_argmax', unified_argmax, (False, True, 'both'))):
            if value not in known:
                raise ValueError(f'{name} must be one of {known}, got {value!r}')
        if self.num_scene_classes < 1:
            raise ValueError('DEVIAS predicts scenes: set num_scene_classes')
        self.slot_attention = None
        if disentangling == 'slots':
            self.slot_attention = SlotAttention(self.embed_dims, **(slot_attention or {}))
        else:
            self.check_tokens(slot_attention, guidance_weight)
            assignment = 'hard'  # token 0 is the action's, as in Two-Token
        self.head = self.build_head(self.num_classes + self.num_scene_classes)
        _, height, width = self.backbone.grid
        outputs = height * width if decoder_target == 'mask' \
            else 3 * math.prod(self.backbone.input_size[1:])
        self.mask_decoder = MaskDecoder(self.embed_dims, outputs, mask_hidden_dims) \
            if mask_weight else None
        self.decoder_target = decoder_target
        self.decoder_slots = decoder_slots
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

    def check_tokens(self, slot_attention: Optional[dict], guidance_weight: float) -> None:
        """Whether what ``disentangling='tokens'`` needs is there."""
        if slot_attention is not None:
            raise ValueError("disentangling='tokens' has no slots: set slot_attention=None")
        found = getattr(self.backbone, 'num_extra_tokens', 0)
        if found != 2:
            raise ValueError("disentangling='tokens' needs a backbone with num_extra_tokens=2, "
                             f'got {found}')
        if guidance_weight and not hasattr(self.backbone, 'blocks'):
            raise ValueError(f'the extra tokens of {type(self.backbone).__name__} have no '
                             'attention to guide: set guidance_weight=0')

    def encode_slots(self, clips: Tensor) -> SlotOutput:
        """Disentangling encoder and unified head.

        Args:
            clips (Tensor): normalised, ``(B, C, T, H, W)``.

        Returns:
            SlotOutput: its ``attention`` is ``None`` for tokens of a backbone
            without attention.
        """
        if self.slot_attention is not None:
            features = self.extract_feat(clips)
            slots, attention = self.slot_attention(features.tokens)
        elif hasattr(self.backbone, 'blocks'):
            with attention_input(self.backbone) as inputs:
                features = self.extract_feat(clips)
            slots = features.extra
            attention = extra_token_attention(self.backbone.blocks[-1].attn, inputs[0], 2)
        else:
            features = self.extract_feat(clips)
            slots, attention = features.extra, None
        return SlotOutput(slots, attention, self.head(self.dropout(slots)), features.grid)

    def loss(self, inputs: Tensor, data_samples: SampleList, targets: ClipTargets) -> dict:
        """Eq. 7; see the base class."""
        clips = inputs.flatten(0, 1)
        scene_label, scene_soft = self.scene_targets(clips, targets)
        scene_label = scene_label + self.num_classes
        output = self.encode_slots(clips)
        costs = losses.matching_costs(output.logits, hard_labels(targets.action), scene_label,
                                      self.assignment_cost)
        action_slot, scene_slot = assign_slots(*costs, self.assignment)
        return self.losses_of_assignment(output, action_slot, scene_slot, targets,
                                         scene_label, scene_soft, clips)

    def losses_of_assignment(self, output: SlotOutput, action_slot: Tensor, scene_slot: Tensor,
                             targets: ClipTargets, scene_label: Tensor,
                             scene_soft: Optional[Tensor] = None,
                             clips: Optional[Tensor] = None) -> dict:
        """All terms, given which slot is which.

        Args:
            output (SlotOutput): of :meth:`encode_slots`.
            action_slot (Tensor): int64 ``(B,)``.
            scene_slot (Tensor): int64 ``(B,)``.
            targets (ClipTargets): action labels and masks.
            scene_label (Tensor): scene class plus ``Na``, int64 ``(B,)``.
            scene_soft (Tensor, optional): teacher logits ``(B, Ns)``.
            clips (Tensor, optional): normalised, ``(B, C, T, H, W)``; needed
                with ``decoder_target='pixel'``.
        """
        action_logits = _rows(output.logits, action_slot)
        scene_logits = _rows(output.logits, scene_slot)
        if self.scene_loss == 'kl' and scene_soft is not None:
            scene_term = self.scene_weight * losses.scene_kl(
                scene_logits, scene_soft, self.num_classes)
        else:
            scene_term = F.cross_entropy(scene_logits, scene_label)
            if self.scene_loss == 'ce':  # the weight of 'kl' undoes its division by the classes
                scene_term = self.scene_weight * scene_term
        result = dict(
            loss_action=F.cross_entropy(
                action_logits, pad_labels(targets.action, action_logits.shape[1])),
            loss_scene=scene_term,
            action_top1=accuracy(action_logits, targets.action),
            scene_top1=accuracy(scene_logits, scene_label),
            **_shares('action_slot', action_slot, output.slots.shape[1]),
            **_shares('scene_slot', scene_slot, output.slots.shape[1]))
        if self.mask_weight or self.guidance_weight:
            result.update(self.mask_terms(output, action_slot, scene_slot, targets, clips))
        if self.cosine_weight:
            result['loss_cosine'] = self.cosine_weight * losses.cosine_loss(
                output.slots, self.cosine)
        return result

    def mask_terms(self, output: SlotOutput, action_slot: Tensor, scene_slot: Tensor,
                   targets: ClipTargets, clips: Optional[Tensor]) -> dict:
        """Eq. 6, and the attention guidance, which is on the action slot."""
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
            clip_level = self.mask_target == 'clip'
            masks = targets.clip_mask[:, None] if clip_level else targets.masks
            if self.decoder_target == 'pixel':
                target = losses.foreground_pixels(clips, masks, output.grid)
            elif clip_level:
                target = pool_masks(masks, (1, *output.grid[1:]))[:, 0]
            else:
                target = frame_masks.mean(1)
            decoded = dict(action=[action_slot], scene=[scene_slot],
                           both=[action_slot, scene_slot])[self.decoder_slots]
            result['loss_mask'] = self.mask_weight * sum(
                self.decoder_loss(_rows(output.slots, slot), target) for slot in decoded)
        return result

    def decoder_loss(self, slots: Tensor, target: Tensor) -> Tensor:
        """Loss of what the decoder makes of slots ``(B, D)``."""
        decoded = self.mask_decoder(slots)
        if self.decoder_target == 'pixel':
            return F.mse_loss(decoded, target)
        return losses.mask_loss(decoded, target, self.mask_loss)

    def probabilities(self, clips: Tensor) -> Dict[str, Tensor]:
        """Predictions of the slots chosen by highest probability (section 3.3).

        The softmax runs over all ``Na + Ns`` classes; the action (scene) slot
        is the one with the most probable action (scene) class. Both may be
        the same slot. With ``assignment='hard'`` the roles are those of the
        training.

        Returns:
            dict: ``action`` ``(B, Na)``, or ``(B, Na + Ns)`` with
            ``unified_argmax``; ``scene`` ``(B, Ns)``, or ``(B, Ns + Na)``,
            scenes first, with ``'both'``; ``action_slot`` and ``scene_slot``
            ``(B, K)``, 1 at the slot that was chosen (Figure 5).
        """
        probability = self.encode_slots(clips).logits.float().softmax(-1)
        action, scene = probability.split([self.num_classes, self.num_scene_classes], dim=-1)
        action_slot, scene_slot = self.choose_slots(probability)
        chosen = {name: F.one_hot(slot, probability.shape[1]).float() for name, slot in
                  (('action_slot', action_slot), ('scene_slot', scene_slot))}
        if self.unified_argmax == 'both':
            scene = torch.cat([scene, action], dim=-1)
        return dict(action=_rows(probability if self.unified_argmax else action, action_slot),
                    scene=_rows(scene, scene_slot), **chosen)

    def choose_slots(self, probability: Tensor) -> Tuple[Tensor, Tensor]:
        """Action and scene slot of a prediction, int64 ``(B,)``, of ``(B, K, Na + Ns)``."""
        action, scene = probability.split([self.num_classes, self.num_scene_classes], dim=-1)
        best = action.amax(-1), scene.amax(-1)
        if self.assignment == 'hard':
            return assign_slots(*best, 'hard')
        return best[0].argmax(1), best[1].argmax(1)

    def features(self, clips: Tensor) -> Dict[str, Tensor]:
        """The slots chosen as in :meth:`probabilities`; see the base class."""
        output = self.encode_slots(clips)
        action_slot, scene_slot = self.choose_slots(output.logits.float().softmax(-1))
        return dict(action=_rows(output.slots, action_slot), scene=_rows(output.slots, scene_slot))

    def logits(self, clips: Tensor) -> Dict[str, Tensor]:
        """Log-probabilities of :meth:`probabilities`; see the base class."""
        probability = self.probabilities(clips)
        return {name: probability[name].log() for name in ('action', 'scene')}
