"""Read off where the extra tokens of a transformer look."""
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

    def record(module: nn.Module, args: tuple) -> None:
        inputs.append(args[0])

    attention = backbone.blocks[-1].attn
    handle = attention.register_forward_pre_hook(record)
    try:
        yield inputs
    finally:
        handle.remove()


def extra_token_attention(attention: nn.Module, tokens: Tensor, num_extra: int) -> Tensor:
    """Return the attention of the extra tokens over the patch tokens.

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
    bias_q = getattr(attention, 'q_bias', None)
    extra = tokens[:, :num_extra]
    query = F.linear(extra, weight_q, bias_q)
    # a bias of the keys would cancel in the softmax
    key = F.linear(tokens, weight_k)
    query = split_heads(query, attention.num_heads)
    key = split_heads(key, attention.num_heads)
    logits = query @ key.transpose(-1, -2) * attention.scale
    mean_weights = logits.softmax(-1).mean(1)
    return mean_weights[..., num_extra:]


def split_heads(x: Tensor, num_heads: int) -> Tensor:
    """Split ``(B, L, D)`` into heads, ``(B, heads, L, D / heads)``."""
    return x.unflatten(-1, (num_heads, -1)).transpose(1, 2)
