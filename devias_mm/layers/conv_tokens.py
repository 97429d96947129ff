"""A small convolution-stem token encoder for the embedded benchmark."""
from typing import Sequence, Tuple

import torch
import torch.nn as nn
from mmaction.models.backbones.vit_mae import get_sinusoid_encoding
from mmaction.registry import MODELS
from mmengine.model import BaseModule, ModuleList
from torch import Tensor

from devias_mm.layers.attention_block import SDPABlock
from devias_mm.layers.token_features import TokenFeatures


def sinusoid_encoding_3d(grid: Tuple[int, int, int], embed_dims: int) -> Tensor:
    """Sine-cosine table whose channels are shared out to time, row, column.

    Args:
        grid (tuple): ``(t, h, w)``.
        embed_dims (int): ``D``, even.

    Returns:
        Tensor: ``(1, t * h * w, D)``.
    """
    spatial = embed_dims // 3 // 2 * 2
    dims = (embed_dims - 2 * spatial, spatial, spatial)
    axes = [get_sinusoid_encoding(size, dim)[0] for size, dim in zip(grid, dims)]
    t, h, w = grid
    table = torch.cat([
        axes[0][:, None, None].expand(t, h, w, -1),
        axes[1][None, :, None].expand(t, h, w, -1),
        axes[2][None, None].expand(t, h, w, -1),
    ], dim=-1)
    return table.reshape(1, t * h * w, embed_dims)


@MODELS.register_module()
class ConvTokenEncoder(BaseModule):
    """(2+1)D convolution stem followed by transformer blocks.

    A ViT from scratch does not learn motion from a thousand clips; a
    convolution stem does. Every stage is a spatial convolution (stride 2 in
    all but the last) and a temporal one (stride 2 in the second stage), each with
    batch norm and ReLU. The output is that of a token backbone, so every
    recognizer runs on it as on :class:`TokenViT`.

    Example::

        backbone = dict(type='ConvTokenEncoder', input_size=(8, 48, 48))

    Args:
        input_size (tuple): ``(T, H, W)`` of a clip; ``T`` even, ``H`` and
            ``W`` multiples of 8 (for 4 widths). Defaults to ``(8, 48, 48)``.
        widths (sequence[int]): channels of the stages; the last is the token
            width ``D``. Defaults to ``(16, 32, 64, 96)``.
        depth (int): transformer blocks. Defaults to 1.
        num_heads (int): heads of a block. Defaults to 4.
        mlp_ratio (float): hidden / token width in a block. Defaults to 2.
        num_extra_tokens (int): learnable tokens put in front of the patch
            tokens. Defaults to 0.

    Raises:
        ValueError: when the stem does not divide ``input_size``.
    """

    def __init__(self,
                 input_size: Tuple[int, int, int] = (8, 48, 48),
                 widths: Sequence[int] = (16, 32, 64, 96),
                 depth: int = 1,
                 num_heads: int = 4,
                 mlp_ratio: float = 2.,
                 num_extra_tokens: int = 0,
                 init_cfg=None) -> None:
        super().__init__(init_cfg)
        down = 2**(len(widths) - 1)
        if len(widths) < 2 or input_size[0] % 2 or input_size[1] % down or input_size[2] % down:
            raise ValueError(f'ConvTokenEncoder with {len(widths)} widths (at least 2) takes '
                             'clips of even length and of sides that are multiples of '
                             f'{down}, got input_size={tuple(input_size)}')
        self.input_size = tuple(input_size)
        self.embed_dims = widths[-1]
        stages, channels = [], 3
        for i, width in enumerate(widths):
            kernel = 5 if i == 0 else 3
            stride = 2 if i < len(widths) - 1 else 1
            stages += [
                nn.Conv3d(channels, width, (1, kernel, kernel), (1, stride, stride),
                          (0, kernel // 2, kernel // 2), bias=False),
                nn.BatchNorm3d(width), nn.ReLU(inplace=True),
                nn.Conv3d(width, width, (3, 1, 1), (2 if i == 1 else 1, 1, 1), (1, 0, 0),
                          bias=False),
                nn.BatchNorm3d(width), nn.ReLU(inplace=True)]
            channels = width
        self.stem = nn.Sequential(*stages)
        self.grid = (input_size[0] // 2, input_size[1] // down, input_size[2] // down)
        # halved: at full size the table would outweigh the young features
        self.register_buffer('pos_embed', 0.5 * sinusoid_encoding_3d(self.grid, self.embed_dims))
        self.blocks = ModuleList([
            SDPABlock(self.embed_dims, num_heads, mlp_ratio=mlp_ratio) for _ in range(depth)])
        self.norm = nn.LayerNorm(self.embed_dims)
        self.num_extra_tokens = num_extra_tokens
        if num_extra_tokens:
            self.extra_tokens = nn.Parameter(
                torch.randn(1, num_extra_tokens, self.embed_dims) * 0.02)

    def forward(self, x: Tensor) -> TokenFeatures:
        """Encode normalised clips.

        Args:
            x (Tensor): ``(B, 3, T, H, W)`` of ``input_size``.

        Returns:
            TokenFeatures: tokens of width ``widths[-1]``.

        Raises:
            ValueError: when the clips are of another size.
        """
        if tuple(x.shape[2:]) != self.input_size:
            raise ValueError(f'ConvTokenEncoder was built for clips of {self.input_size} '
                             f'(T, H, W), got {tuple(x.shape[2:])}')
        x = self.stem(x.contiguous(memory_format=torch.channels_last_3d))
        x = x.flatten(2).transpose(1, 2) + self.pos_embed
        if self.num_extra_tokens:
            x = torch.cat([self.extra_tokens.expand(len(x), -1, -1), x], dim=1)
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        extra, tokens = x.tensor_split([self.num_extra_tokens], dim=1)
        return TokenFeatures(tokens, extra, self.grid)
