"""Augmentations that differ between the views of a clip."""
from dataclasses import dataclass, replace
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
        self.views = nn.ModuleList()
        for view in views:
            augments = [MODELS.build(augment) for augment in view]
            self.views.append(nn.ModuleList(augments))

    def forward(self, clips: Tensor, targets: ClipTargets) -> Tuple[Tensor, ClipTargets]:
        """Augment each view by its own augmentations.

        Args:
            clips (Tensor): ``(B * V, C, T, H, W)``, the views of a sample in a row.
            targets (ClipTargets): of the ``B * V`` clips.
        """
        count = len(self.views)
        output = []
        for number, augments in enumerate(self.views):
            rows = slice(number, None, count)
            view = clips[rows]
            own = targets_of(targets, rows)
            for augment in augments:
                view, own = augment(view, own)
            output.append(view)
        clips = torch.stack(output, dim=1).flatten(0, 1)
        return clips, targets


def targets_of(targets: ClipTargets, rows: slice) -> ClipTargets:
    """Return the targets of some rows of a batch."""
    chosen = {}
    for name, values in vars(targets).items():
        if values is not None:
            chosen[name] = values[rows]
    return replace(targets, **chosen)


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
        targets = FlowTargets(**vars(targets))
        if all('flow' in sample for sample in samples):
            flow = torch.stack([sample.flow for sample in samples])
            # repeated on the device: it travels once
            flow = flow.to(self.device, non_blocking=True)
            targets.flow = flow.repeat_interleave(num_views, 0)
        return targets
