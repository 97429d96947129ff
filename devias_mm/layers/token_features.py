"""What a token backbone returns, and masks on its token grid."""
from typing import NamedTuple, Tuple

import torch.nn.functional as F
from torch import Tensor


class TokenFeatures(NamedTuple):
    """Output of a token backbone.

    Attributes:
        tokens (Tensor): patch tokens ``(B, N, D)``, ``N = t * h * w`` ordered
            time, row, column.
        extra (Tensor): learnable extra tokens after the encoder, ``(B, E, D)``
            with ``E`` = ``num_extra_tokens`` of the backbone, possibly 0.
        grid (tuple): ``(t, h, w)``.
    """
    tokens: Tensor
    extra: Tensor
    grid: Tuple[int, int, int]


def pool_masks(masks: Tensor, grid: Tuple[int, int, int]) -> Tensor:
    """Average foreground masks over the cells of a token grid.

    Args:
        masks (Tensor): ``(B, T', H, W)`` in [0, 1]; ``T'`` may differ from
            the number of frames (one mask per tubelet).
        grid (tuple): ``(t, h, w)`` of :class:`TokenFeatures`.

    Returns:
        Tensor: share of foreground per token, ``(B, t, h * w)``.
    """
    return F.adaptive_avg_pool3d(masks.unsqueeze(1), grid).squeeze(1).flatten(2)
