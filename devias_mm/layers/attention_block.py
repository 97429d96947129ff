"""Self-attention through ``scaled_dot_product_attention``."""
from typing import Optional

import torch
import torch.nn.functional as F
from mmaction.models.backbones.vit_mae import Attention, Block
from torch import Tensor


class SDPAttention(Attention):
    """MMAction2's VideoMAE attention without the ``N x N`` matrix in memory.

    Same parameters, hence the same checkpoints, and the same result as the
    parent (``vit_mae.Attention``), computed by
    :func:`torch.nn.functional.scaled_dot_product_attention`.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Let every token attend to all tokens.

        Args:
            x (Tensor): ``(B, N, D)``.

        Returns:
            Tensor: ``(B, N, D)``.
        """
        bias = None
        if hasattr(self, 'q_bias'):
            # the key part has no bias: it would cancel in the softmax
            bias = torch.cat((self.q_bias, torch.zeros_like(self.v_bias), self.v_bias))
        qkv = F.linear(x, self.qkv.weight, bias)
        qkv = qkv.unflatten(-1, (3, self.num_heads, -1))
        query, key, value = qkv.permute(2, 0, 3, 1, 4)  # (B, heads, N, D / heads) each
        dropout = 0.0
        if self.training:
            dropout = self.attn_drop.p
        out = F.scaled_dot_product_attention(
            query, key, value, dropout_p=dropout, scale=self.scale)
        out = out.transpose(1, 2).flatten(2)  # (B, N, D)
        return self.proj_drop(self.proj(out))


class SDPABlock(Block):
    """MMAction2's VideoMAE encoder block with :class:`SDPAttention`.

    Arguments as ``mmaction.models.backbones.vit_mae.Block``.
    """

    def __init__(self,
                 embed_dims: int,
                 num_heads: int,
                 qkv_bias: bool = True,
                 qk_scale: Optional[float] = None,
                 drop_rate: float = 0.0,
                 attn_drop_rate: float = 0.0,
                 **kwargs) -> None:
        attention = dict(
            qkv_bias=qkv_bias,
            qk_scale=qk_scale,
            drop_rate=drop_rate,
            attn_drop_rate=attn_drop_rate)
        super().__init__(embed_dims, num_heads, **attention, **kwargs)
        self.attn = SDPAttention(embed_dims, num_heads, **attention)
