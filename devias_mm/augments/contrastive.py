"""Augmentations that differ between the views of a clip."""
from dataclasses import dataclass, fields, replace
from typing import List, Optional, Sequence, Tuple

import torch
from mmaction.registry import MODELS
from torch import Tensor, nn

from devias_mm.augments.data_preprocessor import DebiasDataPreprocessor
from devias_mm.structures import ClipTargets


@dataclass
class FlowTargets(ClipTargets):
    """:class:`ClipTargets` with optical flow.

    Attributes:
        flow (Tensor, optional): in pixels, ``(B, 2, T - 1, H, W)``; the same for all views of
            a sample, namely that of the view which ``BackwardFlow`` was told.
    """
    flow: Optional[Tensor] = None


class PerView(nn.Module):
    """Apply augmentations of its own to each view of a batch.

    Args:
        views (sequence[sequence[dict]]): the augmentations of each view, called as those of
            :class:`DebiasDataPreprocessor`. What they make of the targets is dropped: views
            are compared with each other, not with labels.
    """

    def __init__(self, views: Sequence[Sequence[dict]]) -> None:
        super().__init__()
        self.views = nn.ModuleList([
            nn.ModuleList([MODELS.build(augment) for augment in view]) for view in views])

    def forward(self, clips: Tensor, targets: ClipTargets) -> Tuple[Tensor, ClipTargets]:
        """Augment.

        Args:
            clips (Tensor): ``(B * V, C, T, H, W)``, the views of a sample in a row.
            targets (ClipTargets): of the ``B * V`` clips.
        """
        count, output = len(self.views), []
        for number, augments in enumerate(self.views):
            view = clips[number::count]
            own = replace(targets, **{
                field.name: getattr(targets, field.name)[number::count]
                for field in fields(targets) if getattr(targets, field.name) is not None})
            for augment in augments:
                view, own = augment(view, own)
            output.append(view)
        return torch.stack(output, dim=1).flatten(0, 1), targets


@MODELS.register_module()
class ContrastiveDataPreprocessor(DebiasDataPreprocessor):
    """:class:`DebiasDataPreprocessor` for several views of a clip.

    Example::

        model = dict(data_preprocessor=dict(
            type='ContrastiveDataPreprocessor',
            views=[[], [dict(type='SpatialWarp')], [dict(type='MotionScaling')]]))

    Args:
        views (sequence[sequence[dict]]): the augmentations of each view, in the order of
            ``ContrastiveViews``. DSM: ``[[], [SpatialWarp], [MotionScaling]]`` for anchor,
            positive and negative.
        **kwargs: of :class:`DebiasDataPreprocessor`, without ``augments``.
    """

    def __init__(self, views: Sequence[Sequence[dict]], **kwargs) -> None:
        super().__init__(**kwargs)
        self.num_views = len(views)
        self.augments.append(PerView(views))

    def collect_targets(self, samples: List, num_views: int) -> FlowTargets:
        """Stack labels and, where the samples have it, ``flow``; see the base class.

        Raises:
            ValueError: the pipeline gives another number of views.
        """
        if num_views != self.num_views:
            raise ValueError(
                f'the pipeline gives {num_views} view(s) of a clip, but `views` of the data '
                f'preprocessor names the augmentations of {self.num_views}: make '
                'ContrastiveViews and ContrastiveDataPreprocessor agree')
        targets = super().collect_targets(samples, num_views)
        flow = None
        if all('flow' in sample for sample in samples):
            flow = torch.stack([sample.flow for sample in samples]).to(
                self.device, non_blocking=True).repeat_interleave(num_views, 0)
        return FlowTargets(**vars(targets), flow=flow)
