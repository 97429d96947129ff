"""DEVIAS' action mask decoder."""
from typing import Optional, Sequence

import torch.nn as nn
from mmengine.model import BaseModule
from torch import Tensor

from devias_mm.layers.initialisation import init_linears


class MaskDecoder(BaseModule):
    """MLP from a slot to a coarse action mask (DEVIAS, section 3.2).

    Args:
        embed_dims (int): slot width ``D``.
        num_patches (int): spatial tokens ``N = h * w`` of a frame.
        hidden_dims (sequence[int]): widths between; two make the paper's
            3-layer MLP. Defaults to ``(512, 256)``.
    """

    def __init__(self,
                 embed_dims: int,
                 num_patches: int,
                 hidden_dims: Sequence[int] = (512, 256),
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        layers = []
        width = embed_dims
        for hidden in hidden_dims:
            layers.append(nn.Linear(width, hidden))
            layers.append(nn.ReLU())
            width = hidden
        layers.append(nn.Linear(width, num_patches))
        self.layers = nn.Sequential(*layers)
        init_linears(self)

    def forward(self, slots: Tensor) -> Tensor:
        """Decode slots.

        Args:
            slots (Tensor): ``(..., D)``.

        Returns:
            Tensor: mask *logits* ``(..., N)``; their sigmoid is the mask of
            Eq. 6, ``phi(S_action)``.
        """
        return self.layers(slots)
