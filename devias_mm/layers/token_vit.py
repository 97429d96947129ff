"""The VideoMAE ViT as a token backbone."""
import torch
import torch.nn as nn
from mmaction.models.backbones.vit_mae import VisionTransformer, get_sinusoid_encoding
from mmaction.registry import MODELS
from mmengine.model import ModuleList
from torch import Tensor

from devias_mm.layers.attention_block import SDPABlock
from devias_mm.layers.token_features import TokenFeatures


@MODELS.register_module()
class TokenViT(VisionTransformer):
    """VideoMAE ViT that returns all its tokens (VideoMAE, NeurIPS 2022).

    MMAction2's ``VisionTransformer`` (same parameter names, so its VideoMAE
    checkpoints load) with ``scaled_dot_product_attention``, learnable extra
    tokens for the One-/Two-Token baselines, and the tokens themselves as
    output. The parent's ``fc_norm`` after mean pooling belongs to the
    recognizer (``NaiveRecognizer(pool_norm=True)``).

    Example::

        backbone = dict(type='TokenViT', img_size=224, num_frames=16, drop_path_rate=0.1)

    Args:
        num_extra_tokens (int): learnable tokens put in front of the patch
            tokens (DEVIAS supp. C.2). They have positions of their own: the sine-cosine
            table gives them its first rows and the patches those after (published code).
            Defaults to 0.
        final_norm (bool): LayerNorm after the last block. VideoMAE
            fine-tuning normalises the pooled feature instead.
            Defaults to True.
        **kwargs: of ``VisionTransformer``: ``img_size``, ``patch_size``,
            ``embed_dims``, ``depth``, ``num_heads``, ``num_frames``,
            ``tubelet_size``, ``drop_path_rate`` ...

    Raises:
        ValueError: when an input is not of ``num_frames`` x ``img_size`` x
            ``img_size``, as the position table would not fit.
    """

    def __init__(self,
                 img_size: int = 224,
                 patch_size: int = 16,
                 embed_dims: int = 768,
                 depth: int = 12,
                 num_heads: int = 12,
                 mlp_ratio: int = 4,
                 qkv_bias: bool = True,
                 num_frames: int = 16,
                 tubelet_size: int = 2,
                 drop_rate: float = 0.0,
                 attn_drop_rate: float = 0.0,
                 drop_path_rate: float = 0.0,
                 num_extra_tokens: int = 0,
                 final_norm: bool = True,
                 **kwargs) -> None:
        if kwargs.get('use_mean_pooling'):
            raise ValueError('TokenViT returns tokens: set pool_norm=True in the recognizer '
                             'instead of use_mean_pooling=True in the backbone')
        kwargs['use_mean_pooling'] = False
        if num_extra_tokens and kwargs.get('use_learnable_pos_emb'):
            raise ValueError('extra tokens take their positions from the fixed table: leave '
                             'use_learnable_pos_emb out, or set num_extra_tokens=0')
        # depth 0: the parent would build blocks with materialised attention
        super().__init__(img_size=img_size, patch_size=patch_size, embed_dims=embed_dims, depth=0,
                         num_heads=num_heads, num_frames=num_frames, tubelet_size=tubelet_size,
                         drop_rate=drop_rate, **kwargs)
        # deeper blocks are dropped more often
        drop_path_rates = torch.linspace(0, drop_path_rate, depth).tolist()
        self.blocks = ModuleList()
        for rate in drop_path_rates:
            block = SDPABlock(
                embed_dims,
                num_heads,
                mlp_ratio=mlp_ratio,
                qkv_bias=qkv_bias,
                qk_scale=kwargs.get('qk_scale'),
                drop_rate=drop_rate,
                attn_drop_rate=attn_drop_rate,
                drop_path_rate=rate,
                norm_cfg=kwargs.get('norm_cfg', dict(type='LN', eps=1e-6)),
                init_values=kwargs.get('init_values', 0.0))
            self.blocks.append(block)
        if not final_norm:
            self.norm = nn.Identity()
        self.input_size = (num_frames, img_size, img_size)
        self.grid = (num_frames // tubelet_size, *self.grid_size)
        self.num_extra_tokens = num_extra_tokens
        if num_extra_tokens:
            # distinct from the start: equal tokens would get equal features
            self.extra_tokens = nn.Parameter(torch.empty(1, num_extra_tokens, embed_dims))
            nn.init.trunc_normal_(self.extra_tokens, std=0.02)
            num_tokens = num_extra_tokens + self.pos_embed.shape[1]
            self.pos_embed = get_sinusoid_encoding(num_tokens, embed_dims)

    def forward(self, x: Tensor) -> TokenFeatures:
        """Encode normalised clips.

        Args:
            x (Tensor): ``(B, 3, T, H, W)``.

        Returns:
            TokenFeatures: tokens of width ``embed_dims``.
        """
        if tuple(x.shape[2:]) != self.input_size:
            raise ValueError(f'TokenViT was built for clips of {self.input_size} (T, H, W), got '
                             f'{tuple(x.shape[2:])}: change img_size/num_frames of the backbone '
                             'or the crop size/clip_len of the pipeline')
        x = self.patch_embed(x)[0]
        if self.num_extra_tokens:
            extra = self.extra_tokens.expand(len(x), -1, -1)
            x = torch.cat([extra, x], dim=1)
        x = self.pos_drop(x + self.pos_embed)
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        extra, tokens = x.tensor_split([self.num_extra_tokens], dim=1)
        return TokenFeatures(tokens, extra, self.grid)
