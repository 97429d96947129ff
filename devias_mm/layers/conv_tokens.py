"""A small convolution-stem token encoder for the embedded benchmark."""
from typing import List, Sequence, Tuple

import torch
import torch.nn as nn
from mmaction.models.backbones.vit_mae import get_sinusoid_encoding
from mmaction.registry import MODELS
from mmengine.model import BaseModule, ModuleList
from torch import Tensor

from devias_mm.layers.attention_block import SDPABlock
from devias_mm.layers.token_features import TokenFeatures


def sinusoid_encoding_3d(grid: Tuple[int, int, int], embed_dims: int) -> Tensor:
    """Return a sine-cosine table whose channels are divided among time, row and column.

    Args:
        grid (tuple): ``(t, h, w)``.
        embed_dims (int): ``D``, even.

    Returns:
        Tensor: ``(1, t * h * w, D)``.
    """
    t, h, w = grid
    spatial = embed_dims // 3 // 2 * 2  # even: sines and cosines come in pairs
    temporal = embed_dims - 2 * spatial
    of_times = get_sinusoid_encoding(t, temporal)[0]
    of_rows = get_sinusoid_encoding(h, spatial)[0]
    of_columns = get_sinusoid_encoding(w, spatial)[0]
    parts = [
        of_times[:, None, None].expand(t, h, w, -1),
        of_rows[None, :, None].expand(t, h, w, -1),
        of_columns[None, None].expand(t, h, w, -1),
    ]
    table = torch.cat(parts, dim=-1)
    return table.reshape(1, t * h * w, embed_dims)


def conv_stage(in_channels: int,
               channels: int,
               kernel: int,
               stride: int,
               stride_in_time: int) -> List[nn.Module]:
    """Return the layers of a stage: a spatial convolution, then a temporal one.

    Args:
        in_channels (int): channels of its input.
        channels (int): channels of its output.
        kernel (int): side of the spatial kernel, odd; the temporal one has 3 frames.
        stride (int): of the spatial convolution.
        stride_in_time (int): of the temporal convolution.
    """
    border = kernel // 2
    spatial = nn.Conv3d(
        in_channels,
        channels,
        kernel_size=(1, kernel, kernel),
        stride=(1, stride, stride),
        padding=(0, border, border),
        bias=False)
    spatial_norm = nn.BatchNorm3d(channels)
    temporal = nn.Conv3d(
        channels,
        channels,
        kernel_size=(3, 1, 1),
        stride=(stride_in_time, 1, 1),
        padding=(1, 0, 0),
        bias=False)
    temporal_norm = nn.BatchNorm3d(channels)
    return [
        spatial,
        spatial_norm,
        nn.ReLU(inplace=True),
        temporal,
        temporal_norm,
        nn.ReLU(inplace=True),
    ]


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
                 mlp_ratio: float = 2.0,
                 num_extra_tokens: int = 0,
                 init_cfg=None) -> None:
        super().__init__(init_cfg)
        down = 2**(len(widths) - 1)
        frames, height, width = input_size
        fits = frames % 2 == 0 and height % down == 0 and width % down == 0
        if len(widths) < 2 or not fits:
            raise ValueError(f'ConvTokenEncoder with {len(widths)} widths (at least 2) takes '
                             'clips of even length and of sides that are multiples of '
                             f'{down}, got input_size={tuple(input_size)}')
        self.input_size = tuple(input_size)
        self.embed_dims = widths[-1]
        layers = []
        in_channels = 3
        last = len(widths) - 1
        for stage, channels in enumerate(widths):
            kernel = 3
            if stage == 0:
                kernel = 5
            stride = 2
            if stage == last:
                stride = 1
            stride_in_time = 1
            if stage == 1:
                stride_in_time = 2
            layers += conv_stage(in_channels, channels, kernel, stride, stride_in_time)
            in_channels = channels
        self.stem = nn.Sequential(*layers)
        self.grid = (frames // 2, height // down, width // down)
        table = sinusoid_encoding_3d(self.grid, self.embed_dims)
        # halved: at full size the table would outweigh the young features
        self.register_buffer('pos_embed', 0.5 * table)
        self.blocks = ModuleList()
        for _ in range(depth):
            self.blocks.append(SDPABlock(self.embed_dims, num_heads, mlp_ratio=mlp_ratio))
        self.norm = nn.LayerNorm(self.embed_dims)
        self.num_extra_tokens = num_extra_tokens
        if num_extra_tokens:
            tokens = torch.randn(1, num_extra_tokens, self.embed_dims)
            self.extra_tokens = nn.Parameter(tokens * 0.02)

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
            extra = self.extra_tokens.expand(len(x), -1, -1)
            x = torch.cat([extra, x], dim=1)
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        extra, tokens = x.tensor_split([self.num_extra_tokens], dim=1)
        return TokenFeatures(tokens, extra, self.grid)
