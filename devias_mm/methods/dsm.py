"""DSM: decoupling the scene and the motion (Wang et al., AAAI 2021)."""
from typing import Dict, Optional

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmaction.utils import SampleList
from torch import Tensor

from devias_mm.methods.moco import MoCo, PretrainRecognizer
from devias_mm.structures import ClipTargets

TRIPLET = ('anchor', 'positive', 'negative')


def triplet_loss(anchor: Tensor, positive: Tensor, negative: Tensor, margin: float) -> Tensor:
    """``max{d(a, p) - d(a, n) + margin, 0}``, ``d`` the Euclidean distance (DSM, Eq. 5).

    The sum over the data set becomes the mean over the batch.

    Args:
        anchor (Tensor): ``z_a``, ``(B, D)``.
        positive (Tensor): ``z_p``, same scene broken, same motion.
        negative (Tensor): ``z_n``, same scene, motion broken.
        margin (float): at least 0.

    Returns:
        Tensor: 0-dim.
    """
    return F.triplet_margin_loss(anchor, positive, negative, margin=margin)


def _monitors(anchor: Tensor, positive: Tensor, negative: Tensor) -> Dict[str, Tensor]:
    """Mean cosines, to see whether motion is told apart: positive above negative."""
    return dict(cosine_positive=(anchor * positive).sum(-1).mean().detach(),
                cosine_negative=(anchor * negative).sum(-1).mean().detach())


@MODELS.register_module()
class DSM(MoCo):
    """DSM, contrastive: a positive with a broken scene, a negative with a broken motion.

    .. math:: L_c = -\\log \\frac{e^{z_a z_p / \\tau}}{e^{z_a z_p / \\tau} +
        e^{z_a z_n / \\tau} + \\sum_{j=1}^K e^{z_a z_{a_j} / \\tau}}   \\qquad (Eq. 7)

    for each clip, mean over the batch; the paper prints the sum over clips inside the
    logarithm, but derives the equation from InfoNCE (Eq. 6), which is a loss of one query.
    ``z_p`` comes from the key encoder, as in MoCo. So does the bank, which keeps features of the
    *anchors* ("We use a memory bank with size K to save features of a"); MoCo would keep the
    positives. Which encoder gives ``z_n`` the paper leaves open.

    The views come from ``ContrastiveViews`` and ``ContrastiveDataPreprocessor``: random crops
    ``c1, c2, c3`` and ``a = b(c1)``, ``p = s(c2)``, ``n = t(c3)``.

    Args:
        bank (str): ``'anchor'`` or ``'positive'``, whose features the bank keeps.
            Defaults to 'anchor'.
        negative_encoder (str): ``'query'``: ``z_n`` comes from the same encoder as ``z_a`` ("this
            triplet is fed into a 3D backbone f"), in one batch with it, and has a gradient;
            ``'key'``: it is one more key without gradient. Then nothing makes an encoder tell
            ``p`` from ``n``: all queries show natural motion, and a constant satisfies the loss.
            Defaults to 'query'.
        triplet_weight (float): weight of Eq. 5 as an additional loss. Defaults to 0, the
            paper's "DSM"; its "DSM (Triplet)" is :class:`DSMTriplet`.
        margin (float): of the triplet loss. Defaults to 0.5.
        **kwargs: of :class:`MoCo`.

    Raises:
        ValueError: for another ``bank`` or ``negative_encoder``, or a negative weight or margin.
    """

    views = TRIPLET

    def __init__(self, *args, bank: str = 'anchor', negative_encoder: str = 'query',
                 triplet_weight: float = 0., margin: float = .5, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if bank not in ('anchor', 'positive'):
            raise ValueError(f"bank must be 'anchor' or 'positive', got {bank!r}")
        if negative_encoder not in ('query', 'key'):
            raise ValueError("negative_encoder must be 'query' or 'key', got "
                             f'{negative_encoder!r}')
        if triplet_weight < 0 or margin < 0:
            raise ValueError('triplet_weight and margin must be at least 0, got '
                             f'{triplet_weight} and {margin}')
        self.bank = bank
        self.negative_encoder = negative_encoder
        self.triplet_weight = triplet_weight
        self.margin = margin

    def loss(self, inputs: Tensor, data_samples: SampleList,
             targets: Optional[ClipTargets] = None) -> Dict[str, Tensor]:
        """Contrast anchor, positive and negative; see the base class."""
        anchor, positive, negative = self.split_views(inputs)
        to_keys = [positive]
        # several views in one batch: its statistics then do not tell what was done to a clip
        if self.negative_encoder == 'query':
            query, negative = self.embed(torch.cat([anchor, negative])).chunk(2)
        else:
            query = self.embed(anchor)
            to_keys.append(negative)
        if self.bank == 'anchor':
            to_keys.append(anchor)
        self.update_key_encoder()
        keys = self.embed_keys(torch.cat(to_keys)).chunk(len(to_keys))
        positive = keys[0]
        if self.negative_encoder == 'key':
            negative = keys[1]
        losses = self.contrast(query, positive, negative)
        if self.triplet_weight:
            losses['loss_triplet'] = self.triplet_weight * triplet_loss(
                query, positive, negative, self.margin)
        losses.update(_monitors(query, positive, negative))
        self.enqueue(keys[-1] if self.bank == 'anchor' else positive)
        return losses


@MODELS.register_module()
class DSMTriplet(PretrainRecognizer):
    """DSM (Triplet): the intra-video triplet loss alone (Eq. 5), without other videos.

    One encoder embeds anchor, positive and negative, with gradients through all three.

    Args:
        margin (float): at least 0. Defaults to 0.5.
        **kwargs: of :class:`PretrainRecognizer`.

    Raises:
        ValueError: for a negative margin.
    """

    views = TRIPLET

    def __init__(self, *args, margin: float = .5, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if margin < 0:
            raise ValueError(f'margin must be at least 0, got {margin}')
        self.margin = margin

    def loss(self, inputs: Tensor, data_samples: SampleList,
             targets: Optional[ClipTargets] = None) -> Dict[str, Tensor]:
        """Triplet loss; see the base class."""
        views = self.split_views(inputs)
        anchor, positive, negative = self.embed(torch.cat(views)).chunk(len(views))
        return dict(loss_triplet=triplet_loss(anchor, positive, negative, self.margin),
                    **_monitors(anchor, positive, negative))
