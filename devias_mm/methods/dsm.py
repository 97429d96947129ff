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
    """Return ``max{d(a, p) - d(a, n) + margin, 0}`` with the Euclidean distance (DSM, Eq. 5).

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
    """Return mean cosines: where motion is told apart, the positive's is above the negative's."""
    to_positive = (anchor * positive).sum(-1)
    to_negative = (anchor * negative).sum(-1)
    return dict(
        cosine_positive=to_positive.mean().detach(),
        cosine_negative=to_negative.mean().detach())


@MODELS.register_module()
class DSM(MoCo):
    """DSM, contrastive: a positive with a broken scene, a negative with a broken motion.

    .. math:: L_c = -\\log \\frac{e^{z_a z_p / \\tau}}{e^{z_a z_p / \\tau} +
        e^{z_a z_n / \\tau} + \\sum_{j=1}^K e^{z_a z_{a_j} / \\tau}}   \\qquad (Eq. 7)

    for each clip, mean over the batch; the paper prints the sum over clips inside the
    logarithm, but derives the equation from InfoNCE (Eq. 6), which is a loss of one query.
    ``z_p`` comes from the key encoder, as in MoCo. So does the bank, which keeps features of the
    *anchors* ("We use a memory bank with size K to save features of a"); MoCo and the published
    code keep the positives. ``z_n`` comes from the same encoder as ``z_a`` ("this triplet is fed
    into a 3D backbone f"), in one batch with it, and has a gradient.

    The views come from ``ContrastiveViews`` and ``ContrastiveDataPreprocessor``: random crops
    ``c1, c2, c3`` and ``a = b(c1)``, ``p = s(c2)``, ``n = t(c3)``.

    Example::

        model = dict(type='DSM', backbone=backbone, data_preprocessor=dict(
            type='ContrastiveDataPreprocessor',
            views=[[], [dict(type='SpatialWarp')], [dict(type='MotionScaling')]]))

    Args:
        bank (str): ``'anchor'`` or ``'positive'``, whose features the bank keeps.
            Defaults to 'anchor'.
        **kwargs: of :class:`MoCo`.

    Raises:
        ValueError: for another ``bank``.
    """

    views = TRIPLET

    def __init__(self, *args, bank: str = 'anchor', **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if bank not in ('anchor', 'positive'):
            raise ValueError(f"bank must be 'anchor' or 'positive', got {bank!r}")
        self.bank = bank

    def loss(self, inputs: Tensor, data_samples: SampleList,
             targets: Optional[ClipTargets] = None) -> Dict[str, Tensor]:
        """Contrast anchor, positive and negative; see the base class."""
        anchor, positive, negative = self.split_views(inputs)
        # both views in one batch: its statistics then do not tell what was done to a clip
        embedded = self.embed(torch.cat([anchor, negative]))
        query, negative = embedded.chunk(2)
        self.update_key_encoder()
        if self.bank == 'anchor':
            keys = self.embed_keys(torch.cat([positive, anchor]))
            positive, kept = keys.chunk(2)
        else:
            positive = self.embed_keys(positive)
            kept = positive
        losses = self.contrast(query, positive, negative)
        losses.update(_monitors(query, positive, negative))
        self.enqueue(kept)
        return losses


@MODELS.register_module()
class DSMTriplet(PretrainRecognizer):
    """DSM (Triplet): the triplet loss within a video (Eq. 5).

    One encoder embeds anchor, positive and negative, with gradients through all three. The
    published ``dsm_triplet`` adds the same loss between videos: its negative is the positive of
    the clip at the same place of the reversed batch.

    Example::

        model = dict(type='DSMTriplet', backbone=backbone, data_preprocessor=data_preprocessor)

    Args:
        margin (float): at least 0. Defaults to 0.5.
        inter_video (bool): add the loss between videos. Defaults to False, as printed.
        **kwargs: of :class:`PretrainRecognizer`.

    Raises:
        ValueError: for a negative margin.
    """

    views = TRIPLET

    def __init__(self, *args, margin: float = 0.5, inter_video: bool = False, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if margin < 0:
            raise ValueError(f'margin must be at least 0, got {margin}')
        self.margin = margin
        self.inter_video = inter_video

    def loss(self, inputs: Tensor, data_samples: SampleList,
             targets: Optional[ClipTargets] = None) -> Dict[str, Tensor]:
        """Return the triplet loss, or both; see the base class."""
        views = self.split_views(inputs)
        embedded = self.embed(torch.cat(views))
        anchor, positive, negative = embedded.chunk(len(views))
        losses = {}
        losses['loss_triplet'] = triplet_loss(anchor, positive, negative, self.margin)
        if self.inter_video:
            other_video = positive.flip(0)
            losses['loss_inter_video'] = triplet_loss(anchor, positive, other_video, self.margin)
        losses.update(_monitors(anchor, positive, negative))
        return losses
