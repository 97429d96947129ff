"""Where the extra tokens of a transformer look."""
from contextlib import contextmanager
from typing import Iterator, List

import torch.nn.functional as F
from torch import Tensor, nn


@contextmanager
def attention_input(backbone: nn.Module) -> Iterator[List[Tensor]]:
    """Record what the last block's attention of a token backbone gets.

    Args:
        backbone (nn.Module): with ``blocks`` of
            :class:`~devias_mm.layers.attention_block.SDPABlock`.

    Yields:
        list[Tensor]: one entry per forward pass within the context, the
        normalised tokens ``(B, E + N, D)``, extra tokens first.
    """
    inputs = []
    handle = backbone.blocks[-1].attn.register_forward_pre_hook(
        lambda module, args: inputs.append(args[0]))
    try:
        yield inputs
    finally:
        handle.remove()


def extra_token_attention(attention: nn.Module, tokens: Tensor, num_extra: int) -> Tensor:
    """Attention of the extra tokens over the patch tokens.

    Only the rows of the extra tokens are computed: the fused attention of the
    block keeps no matrix.

    Args:
        attention (nn.Module): an
            :class:`~devias_mm.layers.attention_block.SDPAttention`.
        tokens (Tensor): its input, ``(B, E + N, D)``.
        num_extra (int): ``E``.

    Returns:
        Tensor: the softmax over all ``E + N`` tokens, averaged over the heads, at
        the patch tokens: ``(B, E, N)`` in [0, 1], with row sums of at most 1.
    """
    weight_q, weight_k, _ = attention.qkv.weight.chunk(3)
    query = F.linear(tokens[:, :num_extra], weight_q, getattr(attention, 'q_bias', None))
    key = F.linear(tokens, weight_k)  # a bias of the keys would cancel in the softmax
    query, key = (x.unflatten(-1, (attention.num_heads, -1)).transpose(1, 2)
                  for x in (query, key))
    weights = (query @ key.transpose(-1, -2) * attention.scale).softmax(-1)
    return weights.mean(1)[..., num_extra:]
