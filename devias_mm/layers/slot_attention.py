"""Slot attention as DEVIAS uses it."""
from typing import Optional, Tuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from mmengine.model import BaseModule, ModuleList
from torch import Tensor

from devias_mm.layers.initialisation import init_linears

ATTENTION_NORMS = ('l1', 'l2')
SOFTMAX_AXES = ('slots', 'tokens')


class SlotAttentionLayer(BaseModule):
    """Hold the weights of one iteration; see :class:`SlotAttention` for the arguments."""

    def __init__(self,
                 embed_dims: int,
                 num_heads: int,
                 head_dims: int,
                 mlp_ratio: float,
                 out_proj: bool,
                 mlp_norm: bool) -> None:
        super().__init__()
        inner = num_heads * head_dims
        hidden = int(embed_dims * mlp_ratio)
        self.norm_slots = nn.LayerNorm(embed_dims)
        self.norm_tokens = nn.LayerNorm(embed_dims)
        self.to_q = nn.Linear(embed_dims, inner, bias=False)
        self.to_k = nn.Linear(embed_dims, inner, bias=False)
        self.to_v = nn.Linear(embed_dims, inner, bias=False)
        self.out_proj = nn.Identity()
        if out_proj:
            self.out_proj = nn.Linear(inner, embed_dims)
        self.norm_mlp = nn.Identity()
        if mlp_norm:
            self.norm_mlp = nn.LayerNorm(embed_dims)
        self.mlp = nn.Sequential(
            nn.Linear(embed_dims, hidden),
            nn.GELU(),
            nn.Linear(hidden, embed_dims))


class SlotAttention(BaseModule):
    r"""Slots compete for tokens (DEVIAS, Eqs. 1-4, Algorithm 1).

    .. math::
        A(n, k) = softmax_k(K Q^T / \sqrt{D_h}), \quad Z = \hat{A}^T V, \quad
        S \leftarrow MLP(S + Z) + S + Z

    with :math:`\hat A` normalised along the tokens. Keys :math:`K = X W_K` and
    values :math:`V = X W_V` of the tokens :math:`X` are never made: the few slots
    pass through the projections instead of the many tokens,

    .. math:: K Q^T = X (W_K Q^T), \quad \hat{A}^T V = (\hat{A}^T X) W_V.

    Example::

        slots, attention = SlotAttention(768, num_slots=2, num_iters=4)(tokens)

    Args:
        embed_dims (int): token and slot width ``D``.
        num_slots (int): ``K``. Defaults to 2.
        num_iters (int): ``M``. Defaults to 4.
        num_heads (int): attention heads. The paper has one, the published
            code four. Defaults to 4.
        head_dims (int, optional): ``D_h`` of a head. ``None``: ``D / num_heads``, as in the
            paper. Other widths need ``out_proj``. Defaults to 512 (published code).
        attn_norm (str): normalisation along the tokens, ``'l1'``, division by the sum
            (published code), or ``'l2'`` (paper). Defaults to 'l1'.
        softmax_axis (str): ``'slots'`` (paper) or ``'tokens'``, the ablation
            in Table 6 (h), where :math:`\hat A = A`. Defaults to 'slots'.
        tied (bool): the iterations share their weights (paper).
            Defaults to True.
        mlp_ratio (float): hidden / slot width of the MLP. Defaults to 4.
        out_proj (bool): whether ``Z`` passes a linear projection (published code).
            Defaults to True.
        mlp_norm (bool): whether there is a LayerNorm before the MLP (published code).
            Defaults to True.
        final_norm (bool): whether there is a LayerNorm after the last iteration (published
            code). Defaults to True.
    """

    def __init__(self,
                 embed_dims: int,
                 num_slots: int = 2,
                 num_iters: int = 4,
                 num_heads: int = 4,
                 head_dims: Optional[int] = 512,
                 attn_norm: str = 'l1',
                 softmax_axis: str = 'slots',
                 tied: bool = True,
                 mlp_ratio: float = 4.0,
                 out_proj: bool = True,
                 mlp_norm: bool = True,
                 final_norm: bool = True,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        if attn_norm not in ATTENTION_NORMS:
            raise ValueError(f'attn_norm must be one of {ATTENTION_NORMS}, got {attn_norm!r}')
        if softmax_axis not in SOFTMAX_AXES:
            raise ValueError(f'softmax_axis must be one of {SOFTMAX_AXES}, got {softmax_axis!r}')
        if head_dims is None:
            head_dims = embed_dims // num_heads
        if not out_proj and num_heads * head_dims != embed_dims:
            raise ValueError(f'{num_heads} heads of {head_dims} do not add up to the slot width '
                             f'{embed_dims}: set out_proj=True')
        self.num_iters = num_iters
        self.num_heads = num_heads
        self.scale = head_dims**-0.5
        self.attn_norm = attn_norm
        self.softmax_axis = softmax_axis
        self.slots = nn.Parameter(torch.randn(1, num_slots, embed_dims))
        num_layers = num_iters
        if tied:
            num_layers = 1
        self.layers = ModuleList()
        for _ in range(num_layers):
            layer = SlotAttentionLayer(
                embed_dims, num_heads, head_dims, mlp_ratio, out_proj, mlp_norm)
            self.layers.append(layer)
        self.final_norm = nn.Identity()
        if final_norm:
            self.final_norm = nn.LayerNorm(embed_dims)
        init_linears(self)

    def _split(self, x: Tensor) -> Tensor:
        """Split the heads: ``(B, L, heads * D_h)`` becomes ``(B, heads, L, D_h)``."""
        return x.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)

    def _per_head(self, x: Tensor) -> Tensor:
        """Split the heads: ``(B, heads * K, L)`` becomes ``(B, heads, K, L)``."""
        return x.unflatten(1, (self.num_heads, -1))

    def _normalise(self, attention: Tensor) -> Tensor:
        """Normalise the attention ``(B, heads, K, N)`` along the tokens."""
        if self.softmax_axis == 'tokens':
            return attention  # its sums are 1 already
        if self.attn_norm == 'l2':
            return F.normalize(attention, p=2, dim=-1)
        return attention / (attention.sum(-1, keepdim=True) + 1e-7)

    def forward(self, tokens: Tensor) -> Tuple[Tensor, Tensor]:
        """Run the iterations.

        Args:
            tokens (Tensor): ``(B, N, D)``.

        Returns:
            tuple[Tensor, Tensor]: slots ``(B, K, D)`` and the attention
            ``A`` of the last iteration *before* its normalisation along the
            tokens, averaged over heads, ``(B, K, N)`` in [0, 1].
        """
        slots = self.slots.expand(len(tokens), -1, -1)
        for iteration in range(self.num_iters):
            # with tied weights one layer, and one normalisation, serves all iterations
            if iteration < len(self.layers):
                layer = self.layers[iteration]
                context = layer.norm_tokens(tokens)
            attention = self._attend(layer, slots, context)
            update = self._gather(layer, attention, context)
            slots = slots + layer.out_proj(update)
            slots = slots + layer.mlp(layer.norm_mlp(slots))
        return self.final_norm(slots), attention.mean(1)

    def _attend(self, layer: SlotAttentionLayer, slots: Tensor, context: Tensor) -> Tensor:
        """Return the attention ``A``, ``(B, heads, K, N)``, of slots ``(B, K, D)`` over tokens.

        Args:
            layer: the weights of the iteration.
            slots (Tensor): ``(B, K, D)``.
            context (Tensor): normalised tokens, ``(B, N, D)``.
        """
        to_keys = layer.to_k.weight.unflatten(0, (self.num_heads, -1))
        query = layer.to_q(layer.norm_slots(slots))
        query = self._split(query) * self.scale
        query = torch.einsum('bhkd,hdc->bhkc', query, to_keys)
        logits = query.flatten(1, 2) @ context.transpose(1, 2)
        logits = self._per_head(logits)
        if self.softmax_axis == 'slots':
            return logits.softmax(dim=2)
        return logits.softmax(dim=3)

    def _gather(self, layer: SlotAttentionLayer, attention: Tensor, context: Tensor) -> Tensor:
        """Return ``Z``, ``(B, K, heads * D_h)``, what the slots take from the tokens.

        Args:
            layer: the weights of the iteration.
            attention (Tensor): ``A``, ``(B, heads, K, N)``.
            context (Tensor): normalised tokens, ``(B, N, D)``.
        """
        to_values = layer.to_v.weight.unflatten(0, (self.num_heads, -1))
        weights = self._normalise(attention)
        update = weights.flatten(1, 2) @ context
        update = self._per_head(update)
        update = torch.einsum('bhkc,hdc->bkhd', update, to_values)
        return update.flatten(2)
