"""The terms of DEVIAS' training loss (Eqs. 5-7), each a small object with its own weight.

The defaults are the terms that produced the paper's tables, those of the published code. Where
the paper prints another form, that is an option or a class of its own; docs/results/parity.md
lists all of them.
"""
import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Optional, Sequence, Tuple

import torch
import torch.nn.functional as F
from einops import rearrange
from mmaction.registry import MODELS
from torch import Tensor, nn

from devias_mm.layers import pool_masks

MATCHING_COSTS = ('probability', 'cross_entropy')
ROLES = ('action', 'scene')


@dataclass
class SlotBatch:
    """One training batch as the loss terms see it.

    Attributes:
        slots (Tensor): ``(B, K, D)``.
        attention (Tensor, optional): of the slots over the tokens, ``(B, K, t * h * w)`` in
            [0, 1].
        logits (Tensor): of the unified head, ``(B, K, Na + Ns)``.
        grid (tuple): ``(t, h, w)`` of the tokens.
        action_slot, scene_slot (Tensor): the slot of each role, int64 ``(B,)``.
        action (Tensor): action classes, int64 ``(B,)``, or probabilities ``(B, Na)``.
        scene (Tensor): scene class plus ``Na``, int64 ``(B,)``.
        num_classes (int): ``Na``.
        teacher_logits (Tensor, optional): of the scene teacher, ``(B, Ns)``; ``None`` where
            the scene labels are hard.
        masks (Tensor, optional): foreground masks of the frames, ``(B, T', H, W)`` in [0, 1].
        clip_mask (Tensor, optional): one foreground mask a clip, ``(B, H, W)`` in [0, 1].
        clips (Tensor, optional): normalised, ``(B, C, T, H, W)``.
        decoder (Module, optional): from slots ``(B, D)`` to what ``loss.mask`` compares.
    """
    slots: Tensor
    attention: Optional[Tensor]
    logits: Tensor
    grid: Tuple[int, int, int]
    action_slot: Tensor
    scene_slot: Tensor
    action: Tensor
    scene: Tensor
    num_classes: int
    teacher_logits: Optional[Tensor] = None
    masks: Optional[Tensor] = None
    clip_mask: Optional[Tensor] = None
    clips: Optional[Tensor] = None
    decoder: Optional[nn.Module] = None

    def of_role(self, values: Tensor, role: str) -> Tensor:
        """Return the entries ``(B, ...)`` of ``values`` ``(B, K, ...)`` at the role's slot."""
        slots = dict(action=self.action_slot, scene=self.scene_slot)
        return select_slot(values, slots[role])


def select_slot(values: Tensor, slot: Tensor) -> Tensor:
    """Return ``values[b, slot[b]]`` for every clip ``b``."""
    rows = torch.arange(len(values), device=values.device)
    return values[rows, slot]


def matching_costs(slot_logits: Tensor,
                   action: Tensor,
                   scene: Tensor,
                   cost: str = 'probability') -> Tuple[Tensor, Tensor]:
    """Return the cost of each slot as action slot and as scene slot (section 3.1).

    Args:
        slot_logits (Tensor): of the unified head, ``(B, K, Na + Ns)``.
        action (Tensor): action class, int64 ``(B,)``.
        scene (Tensor): scene class plus ``Na``, int64 ``(B,)``.
        cost: ``'probability'``, minus the probability of the label (published code), or
            ``'cross_entropy'`` (paper).

    Returns:
        tuple[Tensor, Tensor]: ``(B, K)`` each, without gradient.
    """
    log_p = slot_logits.detach().log_softmax(-1)
    num_slots = log_p.shape[1]
    labels = torch.stack([action, scene], dim=1)
    labels = labels[:, None].expand(-1, num_slots, -1)
    score = log_p.gather(2, labels)
    if cost == 'probability':
        score = score.exp()
    return -score[..., 0], -score[..., 1]


class SlotLoss(nn.Module):
    """Base of the terms: a weight times what :meth:`term` returns.

    Args:
        weight: factor of the term. Defaults to 1.

    Example::

        >>> @MODELS.register_module()
        ... class SlotNorm(SlotLoss):
        ...     def term(self, batch):
        ...         return batch.slots.norm(dim=-1).mean()
        >>> model = dict(type='DEVIAS', losses=dict(norm=dict(type='SlotNorm', weight=0.1)))
    """

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, batch: SlotBatch) -> Tensor:
        """Return the weighted term, a 0-dim tensor."""
        return self.weight * self.term(batch)

    @abstractmethod
    def term(self, batch: SlotBatch) -> Tensor:
        """Return the term, a 0-dim tensor."""


@MODELS.register_module()
class ActionCrossEntropy(SlotLoss):
    """Cross entropy of the action slot over all ``Na + Ns`` classes (Eq. 5)."""

    def term(self, batch: SlotBatch) -> Tensor:
        """See :class:`SlotLoss`."""
        logits = batch.of_role(batch.logits, 'action')
        labels = batch.action
        if labels.is_floating_point():  # mixed labels; a scene is never one of them
            num_scenes = logits.shape[1] - labels.shape[1]
            labels = F.pad(labels, (0, num_scenes))
        return F.cross_entropy(logits, labels)


@MODELS.register_module()
class SceneCrossEntropy(SlotLoss):
    """Cross entropy of the scene slot over all ``Na + Ns`` classes (Eq. 5, as printed)."""

    def term(self, batch: SlotBatch) -> Tensor:
        """See :class:`SlotLoss`."""
        logits = batch.of_role(batch.logits, 'scene')
        return F.cross_entropy(logits, batch.scene)


@MODELS.register_module()
class SceneDistillation(SceneCrossEntropy):
    """Divergence of the scene slot from the teacher (published code).

    Where the scene labels are hard, as on HVU, there is no teacher: the term is the plain
    cross entropy, and the weight does not apply.

    Args:
        weight: factor of the divergence, which undoes its division by the number of classes.
            Defaults to 4000, as in the published commands.
    """

    def __init__(self, weight: float = 4000.0) -> None:
        super().__init__(weight)

    def forward(self, batch: SlotBatch) -> Tensor:
        """Return the weighted divergence, or the cross entropy of hard labels."""
        if batch.teacher_logits is None:
            return super().term(batch)
        logits = batch.of_role(batch.logits, 'scene')
        divergence = scene_divergence(logits, batch.teacher_logits, batch.num_classes)
        return self.weight * divergence


def scene_divergence(scene_logits: Tensor, teacher_logits: Tensor, num_classes: int) -> Tensor:
    """Return the KL divergence from the teacher over all classes, as the published code does.

    The teacher's distribution is extended to the unified classes: every action class gets the
    score "smallest teacher logit of the batch - 1". The published code reduces one vector a clip
    with "batchmean", which divides the sum over classes by their number; then the mean over
    clips is taken.

    Args:
        scene_logits (Tensor): of the scene slot, ``(B, Na + Ns)``.
        teacher_logits (Tensor): ``(B, Ns)``.
        num_classes: ``Na``.

    Returns:
        Tensor: 0-dim.
    """
    lowest = teacher_logits.min() - 1
    filler = lowest.expand(len(teacher_logits), num_classes)
    target = torch.cat([filler, teacher_logits], dim=1).log_softmax(-1)
    log_p = scene_logits.log_softmax(-1)
    divergence = F.kl_div(log_p, target, reduction='none', log_target=True)
    return divergence.mean(-1).mean()


class DecoderLoss(SlotLoss):
    """Base of the terms on what the decoder makes of slots (Eq. 6, Table 6 c).

    Args:
        weight: :math:`\\alpha` of Eq. 7. Defaults to 1.
        target: whose mask the target is made of: ``'clip'``, the mask of the clip (published
            code), or ``'frames'``, the mean over time of the frames' masks (paper).
        slots: the roles whose slots are decoded; their losses are added. The target is always
            the action's. Defaults to ``('action', )``.
    """

    def __init__(self,
                 weight: float = 1.0,
                 target: str = 'clip',
                 slots: Sequence[str] = ('action', )) -> None:
        super().__init__(weight)
        if target not in ('clip', 'frames'):
            raise ValueError(f"target must be 'clip' or 'frames', got {target!r}")
        if not slots or not set(slots) <= set(ROLES):
            raise ValueError(f'slots must name some of {ROLES}, got {slots!r}')
        self.target = target
        self.slots = tuple(slots)

    def term(self, batch: SlotBatch) -> Tensor:
        """See :class:`SlotLoss`."""
        masks = batch.masks
        if self.target == 'clip':
            masks = batch.clip_mask[:, None]
        target = self.decoder_target(batch, masks)
        total = 0
        for role in self.slots:
            slots = batch.of_role(batch.slots, role)
            total = total + self.compare(batch.decoder(slots), target)
        return total

    @abstractmethod
    def num_outputs(self, backbone: nn.Module) -> int:
        """Return the width that the decoder's output needs."""

    @abstractmethod
    def decoder_target(self, batch: SlotBatch, masks: Tensor) -> Tensor:
        """Return what the decoder should say, ``(B, outputs)``, of masks ``(B, T', H, W)``."""

    @abstractmethod
    def compare(self, decoded: Tensor, target: Tensor) -> Tensor:
        """Return the loss of the decoder's output ``(B, outputs)``."""


@MODELS.register_module()
class MaskDecoding(DecoderLoss):
    """Binary cross entropy between decoded and foreground mask, mean over the patches (Eq. 6).

    Args:
        sigmoid_twice: whether the sigmoid's output passes a second sigmoid, as in the
            published code; the paper has one. Defaults to True.
        **kwargs: of :class:`DecoderLoss`.
    """

    def __init__(self, sigmoid_twice: bool = True, **kwargs) -> None:
        super().__init__(**kwargs)
        self.sigmoid_twice = sigmoid_twice

    def num_outputs(self, backbone: nn.Module) -> int:
        """See the base class: one for each patch of a frame."""
        _, height, width = backbone.grid
        return height * width

    def decoder_target(self, batch: SlotBatch, masks: Tensor) -> Tensor:
        """See the base class: the share of foreground in each patch."""
        grid = (masks.shape[1], *batch.grid[1:])
        return pool_masks(masks, grid).mean(1)

    def compare(self, decoded: Tensor, target: Tensor) -> Tensor:
        """See the base class."""
        logits = decoded
        if self.sigmoid_twice:
            logits = decoded.sigmoid()
        return F.binary_cross_entropy_with_logits(logits, target)


@MODELS.register_module()
class PixelDecoding(DecoderLoss):
    """Mean squared error between decoded and foreground pixels (Table 6 c, "Pixel").

    The paper names the target in two words. As Eq. 6 asks for the mean of the masks over time,
    this is the mean over time of the foreground's pixels, cut into the patches of the token
    grid as in MAE.
    """

    def num_outputs(self, backbone: nn.Module) -> int:
        """See the base class: three colours of each pixel."""
        return 3 * math.prod(backbone.input_size[1:])

    def decoder_target(self, batch: SlotBatch, masks: Tensor) -> Tensor:
        """See the base class."""
        return foreground_pixels(batch.clips, masks, batch.grid)

    def compare(self, decoded: Tensor, target: Tensor) -> Tensor:
        """See the base class."""
        return F.mse_loss(decoded, target)


def foreground_pixels(clips: Tensor, masks: Tensor, grid: Tuple[int, int, int]) -> Tensor:
    """Return the mean over time of the foreground's pixels, patch by patch.

    Args:
        clips (Tensor): normalised, ``(B, C, T, H, W)``; the background becomes 0, the mean
            colour.
        masks (Tensor): ``(B, T', H, W)`` in [0, 1], ``T'`` dividing ``T``.
        grid: ``(t, h, w)`` of the tokens.

    Returns:
        Tensor: ``(B, h * w * P)`` with ``P = C * (H / h) * (W / w)``.
    """
    frames_per_mask = clips.shape[2] // masks.shape[1]
    masks = masks.repeat_interleave(frames_per_mask, dim=1)
    foreground = clips * masks[:, None]
    picture = foreground.mean(2)
    return rearrange(picture, 'b c (h p) (w q) -> b (h w c p q)', h=grid[1], w=grid[2])


@MODELS.register_module()
class AttentionGuidance(SlotLoss):
    """Squared distance of the action slot's attention from the frames' masks.

    The paper prints the squared norm, a sum over the tokens, ``||A(:, k_action) - H||^2``.

    Args:
        weight: :math:`\\beta` of Eq. 7. Defaults to 1.
        reduction: over the tokens, ``'mean'`` (published code) or ``'sum'`` (paper).
    """

    def __init__(self, weight: float = 1.0, reduction: str = 'mean') -> None:
        super().__init__(weight)
        if reduction not in ('mean', 'sum'):
            raise ValueError(f"reduction must be 'mean' or 'sum', got {reduction!r}")
        self.reduction = reduction

    def term(self, batch: SlotBatch) -> Tensor:
        """See :class:`SlotLoss`."""
        masks = pool_masks(batch.masks, batch.grid).flatten(1)
        attention = batch.of_role(batch.attention, 'action')
        squared = (attention - masks)**2
        if self.reduction == 'sum':
            return squared.sum(1).mean()
        return squared.mean(1).mean()


@MODELS.register_module()
class SlotCosine(SlotLoss):
    """Mean signed cosine over the pairs of different slots (published code).

    It is least for slots that point apart, as section 3.3 asks.

    Args:
        weight: :math:`\\gamma` of Eq. 7. Defaults to 1.
    """

    def term(self, batch: SlotBatch) -> Tensor:
        """See :class:`SlotLoss`."""
        return mean_cosine(batch.slots).mean()


@MODELS.register_module()
class PrintedSlotCosine(SlotLoss):
    """``1/K sum_i sum_{j != i} [1 - cos(S_i, S_j)]``, as the paper prints it.

    It is least for slots that are *alike*, against the sentence around it.

    Args:
        weight: :math:`\\gamma` of Eq. 7. Defaults to 1.
    """

    def term(self, batch: SlotBatch) -> Tensor:
        """See :class:`SlotLoss`."""
        # K - 1 pairs remain of K (K - 1) after the division by K
        pairs = batch.slots.shape[1] - 1
        distance = 1 - mean_cosine(batch.slots)
        return pairs * distance.mean()


def mean_cosine(slots: Tensor) -> Tensor:
    """Return the mean cosine over the ordered pairs of different slots.

    Args:
        slots (Tensor): ``(B, K, D)``.

    Returns:
        Tensor: ``(B,)`` in [-1, 1].
    """
    slots = F.normalize(slots, dim=-1)
    cosines = slots @ slots.transpose(1, 2)
    num_slots = slots.shape[1]
    own = cosines.diagonal(dim1=1, dim2=2).sum(1)
    others = cosines.sum((1, 2)) - own
    pairs = num_slots * (num_slots - 1)
    return others / pairs
