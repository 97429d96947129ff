"""The gradient reversal layer (Ganin and Lempitsky, ICML 2015)."""
from typing import Any, Tuple

import torch
from torch import Tensor, nn


class _Reverse(torch.autograd.Function):
    """Return the input; the derivative is declared to be ``-scale``."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: float) -> Tensor:
        ctx.scale = scale
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tuple[Tensor, None]:
        return -ctx.scale * gradient, None


class GradientReversal(nn.Module):
    r"""Pass features on, and their gradient back with the sign turned.

    .. math:: R(x) = x, \qquad \mathrm{d}R / \mathrm{d}x = -\lambda I

    A classifier after it minimises its loss while everything before it
    maximises ``lambda`` times that loss, in one backward pass. The classifier
    itself gets its gradient unscaled.

    Args:
        scale (float): :math:`\lambda \ge 0`; 0 cuts the gradient off, so that the
            classifier is a mere probe. Choi et al. 2019: 0.5, the default.

    Raises:
        ValueError: ``scale`` is negative: that would not reverse anything.
    """

    def __init__(self, scale: float = 0.5) -> None:
        super().__init__()
        if scale < 0:
            raise ValueError(f'the scale of a gradient reversal must not be negative, got {scale}')
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x``, of any shape, unchanged."""
        return _Reverse.apply(x, self.scale)

    def extra_repr(self) -> str:
        """Return ``lambda``, for the printed model."""
        return f'scale={self.scale}'
