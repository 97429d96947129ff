"""The terms of DEVIAS' training loss (Eqs. 5-7), as pure functions.

Where the published code departs from the paper, the paper is the default and the
published form a named choice.
"""
from typing import Tuple

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

MATCHING_COSTS = ('cross_entropy', 'probability')
SCENE_LOSSES = ('ce', 'kl')
MASK_LOSSES = ('bce', 'double_sigmoid_bce')
COSINE_LOSSES = ('printed', 'signed', 'absolute')
DECODER_TARGETS = ('mask', 'pixel')
DECODED_SLOTS = ('action', 'scene', 'both')


def matching_costs(slot_logits: Tensor, action: Tensor, scene: Tensor,
                   cost: str = 'cross_entropy') -> Tuple[Tensor, Tensor]:
    """Cost of each slot as action and as scene slot (section 3.1).

    Args:
        slot_logits (Tensor): of the unified head, ``(B, K, Na + Ns)``.
        action (Tensor): action class, int64 ``(B,)``.
        scene (Tensor): scene class plus ``Na``, int64 ``(B,)``.
        cost (str): ``'cross_entropy'`` (paper) or ``'probability'``, minus the
            probability of the label (published code).

    Returns:
        tuple[Tensor, Tensor]: ``(B, K)`` each, without gradient.
    """
    log_p = slot_logits.detach().log_softmax(-1)
    slots = log_p.shape[1]
    labels = torch.stack([action, scene], dim=1)[:, None].expand(-1, slots, -1)
    score = log_p.gather(2, labels)
    score = score.exp() if cost == 'probability' else score
    return -score[..., 0], -score[..., 1]


def scene_kl(scene_logits: Tensor, teacher_logits: Tensor, num_classes: int) -> Tensor:
    """Published scene criterion: KL towards the teacher over all classes.

    The teacher's distribution is extended to the unified classes by giving
    every action class the score "smallest teacher logit of the batch - 1".
    The sum over classes is divided by their number, not by the batch, as the
    published code reduces a vector per clip with "batchmean"; then the mean
    over clips is taken.

    Args:
        scene_logits (Tensor): of the scene slot, ``(B, Na + Ns)``.
        teacher_logits (Tensor): ``(B, Ns)``.
        num_classes (int): ``Na``.

    Returns:
        Tensor: 0-dim.
    """
    filler = (teacher_logits.min() - 1).expand(len(teacher_logits), num_classes)
    target = torch.cat([filler, teacher_logits], dim=1).log_softmax(-1)
    kl = F.kl_div(scene_logits.log_softmax(-1), target, reduction='none', log_target=True)
    return kl.mean(-1).mean()


def mask_loss(mask_logits: Tensor, masks: Tensor, form: str = 'bce') -> Tensor:
    """Action-mask decoding loss, mean over tokens and clips (Eq. 6).

    Args:
        mask_logits (Tensor): of :class:`~devias_mm.layers.MaskDecoder`,
            ``(B, N)``.
        masks (Tensor): share of foreground per token, ``(B, N)`` in [0, 1].
        form (str): ``'bce'`` (paper) or ``'double_sigmoid_bce'``: the published
            code feeds the sigmoid's output to a criterion that applies a
            sigmoid again.

    Returns:
        Tensor: 0-dim.
    """
    if form == 'double_sigmoid_bce':
        mask_logits = mask_logits.sigmoid()
    return F.binary_cross_entropy_with_logits(mask_logits, masks)


def foreground_pixels(clips: Tensor, masks: Tensor, grid: Tuple[int, int, int]) -> Tensor:
    """Target of the decoder that reconstructs RGB instead of masks (Table 6 c, "Pixel").

    The paper names the target in two words. As Eq. 6 asks for the mask's mean
    over time, this is the mean over time of the foreground's pixels, cut into
    the patches of the token grid as in MAE.

    Args:
        clips (Tensor): normalised, ``(B, C, T, H, W)``; 0 is the mean colour,
            which the background gets.
        masks (Tensor): ``(B, T', H, W)`` in [0, 1], ``T'`` dividing ``T``.
        grid (tuple): ``(t, h, w)`` of the tokens.

    Returns:
        Tensor: ``(B, h * w * P)`` with ``P = C * (H / h) * (W / w)``.
    """
    masks = masks.repeat_interleave(clips.shape[2] // masks.shape[1], dim=1)
    picture = (clips * masks[:, None]).mean(2)
    return rearrange(picture, 'b c (h p) (w q) -> b (h w c p q)', h=grid[1], w=grid[2])


def guidance_loss(attention: Tensor, masks: Tensor, reduction: str = 'sum') -> Tensor:
    """Attention guidance ``||A(:, k_action) - H||^2``, mean over clips.

    Args:
        attention (Tensor): attention of the action slot, ``(B, NT)``.
        masks (Tensor): share of foreground per token, ``(B, NT)``.
        reduction (str): over the tokens, ``'sum'`` (paper: the squared norm)
            or ``'mean'`` (published code).

    Returns:
        Tensor: 0-dim.
    """
    squared = (attention - masks)**2
    return (squared.sum(1) if reduction == 'sum' else squared.mean(1)).mean()


def cosine_loss(slots: Tensor, form: str = 'printed') -> Tensor:
    """Cosine term over pairs of different slots (section 3.3), mean over clips.

    Args:
        slots (Tensor): ``(B, K, D)``.
        form (str): ``'printed'``, ``1/K sum_i sum_{j != i} [1 - cos]`` as the
            paper prints it -- minimising it makes slots *alike*, against the
            sentence around it, which wants them diverse; ``'signed'``, the
            mean cosine (published code); ``'absolute'``, the mean absolute
            cosine, least for orthogonal slots.

    Returns:
        Tensor: 0-dim.
    """
    slots = F.normalize(slots, dim=-1)
    num_slots = slots.shape[1]
    cosine = slots @ slots.transpose(1, 2)
    if form == 'printed':
        cosine = 1 - cosine
    elif form == 'absolute':
        cosine = cosine.abs()
    total = cosine.sum((1, 2)) - cosine.diagonal(dim1=1, dim2=2).sum(1)
    pairs = num_slots if form == 'printed' else num_slots * (num_slots - 1)
    return (total / pairs).mean()
