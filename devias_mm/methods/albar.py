"""ALBAR (Fioresi, Dave and Shah, ICLR 2025): adversarial learning against static cues."""
from contextlib import nullcontext
from typing import Tuple

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmaction.utils import SampleList
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from devias_mm.augments import still_clips
from devias_mm.methods.base import accuracy
from devias_mm.methods.naive import NaiveRecognizer
from devias_mm.structures import ClipTargets


def gradient_penalty(gradient: Tensor) -> Tensor:
    """Return the mean norm of a gradient's image columns, as published.

    ``sqrt(sum over C, T, H of g^2 + 1e-12)``, mean over the batch and the columns. The weight 10
    of the published setting belongs to this norm: that of a whole clip is about ``sqrt(W)``
    times as large.

    Args:
        gradient (Tensor): ``g``, ``(B, C, T, H, W)``.

    Returns:
        Tensor: 0-dim.
    """
    squares = gradient.square().sum((1, 2, 3))  # (B, W)
    norms = (squares + 1e-12).sqrt()
    return norms.mean()


@MODELS.register_module()
class ALBAR(NaiveRecognizer):
    r"""Learn actions so that the prediction on a clip without motion fails.

    .. math::
        L = w_t CE(f(x), y) - w_s CE(f(s), y)
            + w_e \frac{1}{B} \sum_b \sum_c p_c \log p_c
            + w_g \frac{1}{B W} \sum_{b, w}
            \Big\| \frac{\partial \sum_c f(s)_c}{\partial s_{b, w}} \Big\|_2

    with :math:`s` the middle frame of :math:`x`, repeated,
    :math:`p = softmax f(s)`, and :math:`s_{b, w}` the pixels in column :math:`w` of clip
    :math:`b` (see :func:`gradient_penalty`). The second term is adversarial: one network
    descends on moving clips and ascends on still ones. The third makes what
    it says of still clips uniform, the fourth keeps the adversary's gradient
    small. Neither masks nor scene labels are needed.

    Where the published description leaves it open, these choices were made:

    - :math:`x` and :math:`s` are one batch, so that batch norms treat both
      alike; from two passes they would tell still from moving clips by the
      statistics. It changes nothing on backbones without batch norm;
    - the gradient is taken with respect to the normalised pixels of all
      frames of :math:`s`.

    Example::

        model = dict(type='ALBAR', backbone=dict(type='TokenViT', final_norm=False),
                     pool_norm=True, num_classes=51)

    The loss may be negative. With the gradient term, attention uses the kernel
    that can be differentiated twice, whose memory is quadratic in the tokens.

    Args:
        action_weight (float): :math:`w_t`. Defaults to 1.
        static_weight (float): :math:`w_s`, not negative. Defaults to 1.
        entropy_weight (float): :math:`w_e`. Defaults to 4.25.
        gradient_weight (float): :math:`w_g`; 0 leaves the double backward
            pass out. Defaults to 10.
        **kwargs: of :class:`NaiveRecognizer`; ``task`` has to be 'action'.
    """

    def __init__(self,
                 *args,
                 action_weight: float = 1.0,
                 static_weight: float = 1.0,
                 entropy_weight: float = 4.25,
                 gradient_weight: float = 10.0,
                 **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if self.task != 'action':
            raise ValueError(f"ALBAR is a method for actions: task must be 'action', got "
                             f'{self.task!r}')
        weights = dict(
            action_weight=action_weight,
            static_weight=static_weight,
            entropy_weight=entropy_weight,
            gradient_weight=gradient_weight)
        for name, weight in weights.items():
            if weight < 0:
                raise ValueError(f'{name} must not be negative (the signs of the terms are in '
                                 f'the loss), got {weight}')
        self.action_weight = action_weight
        self.static_weight = static_weight
        self.entropy_weight = entropy_weight
        self.gradient_weight = gradient_weight

    def loss(self, inputs: Tensor, data_samples: SampleList, targets: ClipTargets) -> dict:
        """Return the four terms; see the base class."""
        clips = inputs.flatten(0, 1)
        labels = targets.action
        middle = torch.full((len(clips), ), clips.shape[2] // 2, device=clips.device)
        still = still_clips(clips, middle)
        still.requires_grad_(self.gradient_weight > 0)
        logits, static = self.paired_logits(clips, still)
        action_loss = self.classification_loss(logits, labels)
        # without label smoothing: the equation's cross entropy
        static_loss = F.cross_entropy(static, labels)
        log_p = static.log_softmax(-1)
        negative_entropy = (log_p.exp() * log_p).sum(-1).mean()
        result = dict(
            loss_action=self.action_weight * action_loss,
            loss_static=-self.static_weight * static_loss,
            loss_entropy=self.entropy_weight * negative_entropy,
            action_top1=accuracy(logits, labels),
            static_top1=accuracy(static, labels),
            static_entropy=-negative_entropy.detach())
        if self.gradient_weight:
            # clips do not see each other, so the batch's sum has the gradient of each of them
            gradient, = torch.autograd.grad(static.sum(), still, create_graph=True)
            result['loss_gradient'] = self.gradient_weight * gradient_penalty(gradient)
        return result

    def paired_logits(self, clips: Tensor, still: Tensor) -> Tuple[Tensor, Tensor]:
        """Return the action scores ``(B, Na)`` of moving and of still clips, from one batch."""
        batch = torch.cat([clips, still])
        if self.gradient_weight:
            # the fused kernels of attention have no second derivative
            context = sdpa_kernel(SDPBackend.MATH)
        else:
            context = nullcontext()
        with context:
            logits, static = self.logits(batch)['action'].chunk(2)
        return logits, static
