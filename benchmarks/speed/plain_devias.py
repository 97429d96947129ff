"""DEVIAS and FAME written out plainly: what ``devias_step.py`` compares against.

The same modules with the same weights, but as the equations read: attention matrices
are materialised, all tokens are projected to keys and values in every iteration of the slot
attention (ours passes the few slots through these projections instead), the matching is a
loop over samples, and FAME goes through all its steps for one mask at a time.
"""
import contextlib
from typing import Iterator, Tuple
from unittest import mock

import torch
from kornia.filters import gaussian_blur2d
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from devias_mm.augments.fame import NUM_BINS, FAMEMasks, colour_bins, largest, normalise
from devias_mm.layers.attention_block import Attention, SDPAttention
from devias_mm.layers.slot_attention import SlotAttention


def plain_slot_attention(self: SlotAttention, tokens: Tensor) -> Tuple[Tensor, Tensor]:
    """:meth:`SlotAttention.forward` with keys and values projected in every iteration."""
    slots = self.slots.expand(len(tokens), -1, -1)
    for i in range(self.num_iters):
        layer = self.layers[min(i, len(self.layers) - 1)]
        context = layer.norm_tokens(tokens)
        query = self._split(layer.to_q(layer.norm_slots(slots)))
        keys, values = self._split(layer.to_k(context)), self._split(layer.to_v(context))
        attention = (query @ keys.transpose(-1, -2) * self.scale).softmax(dim=2)
        weights = attention / (attention.sum(-1, keepdim=True) + 1e-7)
        slots = slots + layer.out_proj((weights @ values).transpose(1, 2).flatten(2))
        slots = slots + layer.mlp(layer.norm_mlp(slots))
    return self.final_norm(slots), attention.mean(1)


def plain_assignment(action_cost: Tensor, scene_cost: Tensor, method: str
                     ) -> Tuple[Tensor, Tensor]:
    """:func:`assign_slots` (Hungarian), one sample after the other on the CPU."""
    costs = torch.stack([action_cost, scene_cost], dim=1).detach().cpu().numpy()
    pairs = torch.tensor([linear_sum_assignment(cost)[1].tolist() for cost in costs])
    return tuple(pairs.to(action_cost.device).unbind(1))


def plain_fame(self: FAMEMasks, clips: Tensor) -> Tuple[Tensor, Tensor]:
    """:meth:`FAMEMasks.compute`, one clip and one mask after the other."""
    size = self.blur_size or 2 * (int(.1 * clips.shape[-2]) // 2) + 1

    def blur(image: Tensor) -> Tensor:
        return gaussian_blur2d(image[None, None], (size, size), (size / 3, size / 3))[0, 0]

    def one_mask(motion: Tensor, clip: Tensor) -> Tensor:
        motion = normalise(blur(motion))
        bins = colour_bins(clip.mean(1)[None])[0]
        pixels = motion.numel()
        fg = largest(motion[None], int(self.foreground_seed * pixels))[0].bool()
        bg = largest(-motion[None], int(self.background_seed * pixels))[0].bool()
        fg = torch.bincount(bins[fg], minlength=NUM_BINS).float()
        bg = torch.bincount(bins[bg], minlength=NUM_BINS).float() + 1
        fg, bg = fg / (fg.sum() + 1e-8), bg / (bg.sum() + 1e-8)
        soft = normalise(blur((fg / (bg + fg))[bins]))
        return largest(soft[None], int(self.tau * pixels))[0]

    clip_masks, masks = [], []
    for clip in clips:
        difference = (clip[:, 1:] - clip[:, :-1]).abs().sum(0)
        clip_masks.append(one_mask(difference.mean(0), clip))
        masks.append(torch.stack([one_mask(pair, clip) for pair in difference[::2]]))
    return torch.stack(clip_masks), torch.stack(masks)


@contextlib.contextmanager
def plain_formulation() -> Iterator[None]:
    """Inside, DEVIAS models compute the plain way."""
    with mock.patch.object(SDPAttention, 'forward', Attention.forward), \
            mock.patch.object(SlotAttention, 'forward', plain_slot_attention), \
            mock.patch('devias_mm.methods.devias.assign_slots', plain_assignment):
        yield
