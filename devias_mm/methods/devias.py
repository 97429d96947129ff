"""DEVIAS (Bae, Ahn, Kim and Choi, ECCV 2024)."""
from typing import Dict, NamedTuple, Optional, Tuple

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmaction.utils import SampleList
from torch import Tensor, nn

from devias_mm.layers import (
    MaskDecoder,
    SlotAttention,
    assign_slots,
    attention_input,
    extra_token_attention,
)
from devias_mm.layers.slot_assignment import ASSIGNMENTS
from devias_mm.methods.base import DebiasRecognizer, accuracy, check_choice, hard_labels
from devias_mm.methods.devias_losses import (
    MATCHING_COSTS,
    DecoderLoss,
    SlotBatch,
    matching_costs,
    select_slot,
)
from devias_mm.structures import ClipTargets

# Eq. 7 as the published code computes it
PUBLISHED_LOSSES = dict(
    action=dict(type='ActionCrossEntropy'),
    scene=dict(type='SceneDistillation'),
    mask=dict(type='MaskDecoding'),
    guidance=dict(type='AttentionGuidance'),
    cosine=dict(type='SlotCosine'))
SCORES = ('all', 'own', 'part')


class SlotOutput(NamedTuple):
    """What the network says of a batch.

    Attributes:
        slots (Tensor): ``(B, K, D)``.
        attention (Tensor, optional): ``(B, K, N)`` in [0, 1].
        logits (Tensor): of the unified head, ``(B, K, Na + Ns)``.
        grid (tuple): ``(t, h, w)`` of the tokens.
    """
    slots: Tensor
    attention: Optional[Tensor]
    logits: Tensor
    grid: Tuple[int, int, int]


@MODELS.register_module()
class DEVIAS(DebiasRecognizer):
    r"""Disentangled action and scene slots.

    .. math:: L = L_{DE} + \alpha L_{AMD} + \beta L_{AG} + \gamma L_{cos}

    (Eq. 7), with the disentangling loss of Eq. 5 on a unified head, the action-mask decoding
    loss of Eq. 6, attention guidance and the cosine term. The defaults are those of the
    published code, which made the paper's tables. Foreground masks (``FAMEMasks`` in the data
    preprocessor) are needed unless the losses ``mask`` and ``guidance`` are left out, and scene
    labels or a teacher always.

    Args:
        slot_attention: arguments of :class:`~devias_mm.layers.SlotAttention`. ``None``: no
            disentangling encoder (Table 6 a). The two extra tokens of the backbone
            (``num_extra_tokens=2``) are the slots, the first the action's and the second the
            scene's, as in Two-Token; guidance then acts on the action token's attention in the
            last block, a softmax over tokens.
        losses: by name the terms of the loss, see :mod:`devias_mm.methods.devias_losses`. They
            replace those of the same name among ``action``, ``scene``, ``mask``, ``guidance`` and
            ``cosine``, the published ones; ``None`` leaves a term out; another name adds one.
        mask_decoder: arguments of :class:`~devias_mm.layers.MaskDecoder`.
        assignment: see :func:`~devias_mm.layers.assign_slots`. From scratch on little data
            ``'batch'`` specialises the slots better (docs/puppets.md). With ``'hard'`` the roles
            are fixed in the prediction as well. Defaults to ``'hungarian'``.
        assignment_cost: ``'probability'`` (published code) or ``'cross_entropy'`` (paper).
        action_scores: classes that compete in the action prediction: ``'all'`` of the unified
            head, so that a scene may win, which is an error (published code); ``'own'``, a softmax
            over the actions alone; or ``'part'``, the actions' part of the softmax over all.
        scene_scores: likewise of the scene. Defaults to ``'own'``; the published code takes
            ``'all'`` on HVU. The scores of a video's views are averaged, so ``'own'`` and
            ``'part'`` differ for several views.
        **kwargs: of :class:`DebiasRecognizer`.

    Example::

        >>> model = dict(
        ...     type='DEVIAS', num_classes=101, num_scene_classes=365,
        ...     backbone=dict(type='TokenViT'), slot_attention=dict(num_slots=2, num_iters=4),
        ...     losses=dict(guidance=dict(type='AttentionGuidance', weight=2.0), cosine=None),
        ...     data_preprocessor=dict(type='DebiasDataPreprocessor', augments=[
        ...         dict(type='FAMEMasks', tau=0.3), dict(type='SceneMix', ratio=0.4)]))
    """

    def __init__(self,
                 *args,
                 slot_attention: Optional[dict],
                 losses: Optional[Dict[str, Optional[dict]]] = None,
                 mask_decoder: Optional[dict] = None,
                 assignment: str = 'hungarian',
                 assignment_cost: str = 'probability',
                 action_scores: str = 'all',
                 scene_scores: str = 'own',
                 **kwargs) -> None:
        super().__init__(*args, **kwargs)
        check_choice('assignment', assignment, ASSIGNMENTS)
        check_choice('assignment_cost', assignment_cost, MATCHING_COSTS)
        check_choice('action_scores', action_scores, SCORES)
        check_choice('scene_scores', scene_scores, SCORES)
        if self.num_scene_classes < 1:
            raise ValueError('DEVIAS predicts scenes: set num_scene_classes')
        self.assignment = assignment
        self.assignment_cost = assignment_cost
        self.action_scores = action_scores
        self.scene_scores = scene_scores
        self.losses = _build_losses(losses or {})
        self.slot_attention = None
        if slot_attention is not None:
            self.slot_attention = SlotAttention(self.embed_dims, **slot_attention)
        else:
            self._check_extra_tokens()
            self.assignment = 'hard'  # token 0 is the action's, as in Two-Token
        self.head = self.build_head(self.num_classes + self.num_scene_classes)
        self.mask_decoder = None
        if 'mask' in self.losses:
            outputs = self.losses['mask'].num_outputs(self.backbone)
            self.mask_decoder = MaskDecoder(self.embed_dims, outputs, **(mask_decoder or {}))

    def _check_extra_tokens(self) -> None:
        """Check that the backbone can do without a disentangling encoder."""
        found = getattr(self.backbone, 'num_extra_tokens', 0)
        if found != 2:
            raise ValueError('slot_attention=None needs a backbone with num_extra_tokens=2, '
                             f'got {found}')
        if 'guidance' in self.losses and not hasattr(self.backbone, 'blocks'):
            raise ValueError(f'the extra tokens of {type(self.backbone).__name__} have no '
                             'attention to guide: set losses=dict(guidance=None)')

    def encode_slots(self, clips: Tensor) -> SlotOutput:
        """Run the encoder, the disentangling encoder and the unified head.

        Args:
            clips (Tensor): normalised, ``(B, C, T, H, W)``.

        Returns:
            SlotOutput: its ``attention`` is ``None`` for tokens of a backbone without attention.
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
            slots = features.extra
            attention = None
        logits = self.head(self.dropout(slots))
        return SlotOutput(slots, attention, logits, features.grid)

    def loss(self, inputs: Tensor, data_samples: SampleList, targets: ClipTargets) -> dict:
        """Return the terms of Eq. 7; see the base class."""
        clips = inputs.flatten(0, 1)
        scene, teacher_logits = self.scene_targets(clips, targets)
        scene = scene + self.num_classes  # scenes come after the actions in the unified head
        output = self.encode_slots(clips)
        action = hard_labels(targets.action)
        costs = matching_costs(output.logits, action, scene, self.assignment_cost)
        action_slot, scene_slot = assign_slots(*costs, self.assignment)
        batch = SlotBatch(
            slots=output.slots,
            attention=output.attention,
            logits=output.logits,
            grid=output.grid,
            action_slot=action_slot,
            scene_slot=scene_slot,
            action=targets.action,
            scene=scene,
            num_classes=self.num_classes,
            teacher_logits=teacher_logits,
            masks=targets.masks,
            clip_mask=targets.clip_mask,
            clips=clips,
            decoder=self.mask_decoder)
        return self.loss_of_slots(batch)

    def loss_of_slots(self, batch: SlotBatch) -> dict:
        """Return all terms and monitors, given which slot is which.

        Raises:
            ValueError: a term needs foreground masks, and there are none.
        """
        if batch.masks is None and {'mask', 'guidance'} & set(self.losses):
            raise ValueError('the mask losses of DEVIAS need foreground masks: add '
                             "dict(type='FAMEMasks') to data_preprocessor.augments, or set "
                             'losses=dict(mask=None, guidance=None)')
        result = {}
        for name, term in self.losses.items():
            result[f'loss_{name}'] = term(batch)
        action_logits = batch.of_role(batch.logits, 'action')
        scene_logits = batch.of_role(batch.logits, 'scene')
        result['action_top1'] = accuracy(action_logits, batch.action)
        result['scene_top1'] = accuracy(scene_logits, batch.scene)
        num_slots = batch.slots.shape[1]
        result.update(_role_shares('action_slot', batch.action_slot, num_slots))
        result.update(_role_shares('scene_slot', batch.scene_slot, num_slots))
        return result

    def probabilities(self, clips: Tensor) -> Dict[str, Tensor]:
        """Predict from the slots chosen by highest probability (section 3.3).

        Returns:
            dict: ``action`` ``(B, Na)``, or ``(B, Na + Ns)`` where all classes compete; ``scene``
            ``(B, Ns)``, or ``(B, Ns + Na)``, scenes first; ``action_slot`` and ``scene_slot``
            ``(B, K)``, 1 at the slot that was chosen (Figure 5).
        """
        logits = self.encode_slots(clips).logits.float()
        action_slot, scene_slot = self.choose_slots(logits)
        num_slots = logits.shape[1]
        action_logits = select_slot(logits, action_slot)
        scene_logits = select_slot(logits, scene_slot)
        scene_logits = scene_logits.roll(-self.num_classes, -1)  # scenes first
        return dict(
            action=_scores(action_logits, self.num_classes, self.action_scores),
            scene=_scores(scene_logits, self.num_scene_classes, self.scene_scores),
            action_slot=F.one_hot(action_slot, num_slots).float(),
            scene_slot=F.one_hot(scene_slot, num_slots).float())

    def choose_slots(self, logits: Tensor) -> Tuple[Tensor, Tensor]:
        """Choose the action slot and the scene slot of a prediction.

        The softmax runs over all ``Na + Ns`` classes; the action (scene) slot is the one with
        the most probable action (scene) class. Both may be the same slot. With
        ``assignment='hard'`` the roles are those of the training.

        Args:
            logits (Tensor): of the unified head, ``(B, K, Na + Ns)``.

        Returns:
            tuple[Tensor, Tensor]: int64 ``(B,)`` each.
        """
        probability = logits.softmax(-1)
        best_action = probability[..., :self.num_classes].amax(-1)
        best_scene = probability[..., self.num_classes:].amax(-1)
        if self.assignment == 'hard':
            return assign_slots(best_action, best_scene, 'hard')
        return best_action.argmax(1), best_scene.argmax(1)

    def features(self, clips: Tensor) -> Dict[str, Tensor]:
        """Return the slots chosen as in :meth:`probabilities`; see the base class."""
        output = self.encode_slots(clips)
        action_slot, scene_slot = self.choose_slots(output.logits.float())
        return dict(
            action=select_slot(output.slots, action_slot),
            scene=select_slot(output.slots, scene_slot))

    def logits(self, clips: Tensor) -> Dict[str, Tensor]:
        """Return the logarithms of :meth:`probabilities`; see the base class."""
        probability = self.probabilities(clips)
        return dict(action=probability['action'].log(), scene=probability['scene'].log())





def _build_losses(changes: Dict[str, Optional[dict]]) -> nn.ModuleDict:
    """Build the published terms, changed by the config."""
    losses = nn.ModuleDict()
    configs = {**PUBLISHED_LOSSES, **changes}
    for name, config in configs.items():
        if config is not None:
            losses[name] = MODELS.build(config)
    if 'mask' in losses and not isinstance(losses['mask'], DecoderLoss):
        raise ValueError('losses.mask must be a DecoderLoss (MaskDecoding, PixelDecoding), got '
                         f'{type(losses["mask"]).__name__}')
    return losses


def _scores(logits: Tensor, num_own: int, kind: str) -> Tensor:
    """Return class probabilities of a task.

    Args:
        logits (Tensor): the task's classes first, ``(B, Na + Ns)``.
        num_own: the number of its classes.
        kind: one of ``SCORES``, see :class:`DEVIAS`.
    """
    if kind == 'own':
        return logits[:, :num_own].softmax(-1)
    probability = logits.softmax(-1)
    if kind == 'part':
        return probability[:, :num_own]
    return probability


def _role_shares(name: str, slot: Tensor, num_slots: int) -> Dict[str, Tensor]:
    """Return the percentage of clips in which each slot has a role (Figure 5), on the device."""
    # F.one_hot would look at the largest value, and wait for the device
    slots = torch.arange(num_slots, device=slot.device)
    chosen = slot[:, None] == slots
    shares = 100 * chosen.float().mean(0)
    return {f'{name}{k}': share for k, share in enumerate(shares)}
