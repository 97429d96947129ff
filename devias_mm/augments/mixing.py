"""Mixup, CutMix, VideoMix: two clips of a batch become one, and so do their labels.

MMAction2's ``MixupBlending`` and ``CutmixBlending`` mix pixels and action
labels only; here scene labels and foreground masks go along. The cut box is
theirs.
"""
from abc import abstractmethod
from dataclasses import replace
from typing import Optional, Sequence, Tuple

import torch
import torch.nn.functional as F
from mmaction.models.utils import CutmixBlending
from mmaction.registry import MODELS
from torch import Tensor, nn
from torch.distributions import Beta

from devias_mm.augments.data_preprocessor import per_clip
from devias_mm.structures import ClipTargets

EXTENTS = ('space', 'time', 'space-time')


def soft_labels(labels: Tensor, num_classes: int) -> Tensor:
    """Return the class probabilities of labels that may be classes.

    Args:
        labels (Tensor): int64 ``(B,)`` or float ``(B, num_classes)``.
        num_classes (int): number of classes.

    Returns:
        Tensor: float ``(B, num_classes)``.
    """
    if labels.is_floating_point():
        return labels
    return F.one_hot(labels, num_classes).float()


def mix_labels(labels: Tensor, partner: Tensor, weight: Tensor) -> Tensor:
    """Return ``w y + (1 - w) y'``; of hard labels the one with the larger share.

    Args:
        labels (Tensor): int64 ``(B,)`` or float ``(B, N)``.
        partner (Tensor): row of each clip's partner, int64 ``(B,)``.
        weight (Tensor): ``w`` in [0, 1], ``(B,)`` or ``(1,)``.

    Returns:
        Tensor: like ``labels``.
    """
    weight = per_clip(weight, labels)
    if labels.is_floating_point():
        return torch.lerp(labels[partner], labels, weight)
    return torch.where(weight >= 0.5, labels, labels[partner])


def mix_masks(masks: Tensor, partner: Tensor, own: Tensor) -> Tensor:
    """Mix foreground masks as the pixels that they belong to.

    Args:
        masks (Tensor): ``(B, T', H, W)``, ``T'`` dividing ``T``.
        partner (Tensor): int64 ``(B,)``.
        own (Tensor): share of the own clip, ``(B or 1, T or 1, H or 1, W or 1)``.

    Returns:
        Tensor: like ``masks``.
    """
    if own.shape[1] > 1:
        own = own.unflatten(1, (masks.shape[1], -1)).mean(2)
    return torch.lerp(masks[partner], masks, own)


class BatchMixing(nn.Module):
    """Mix every clip of a batch with a partner from a random permutation of the batch.

    ``x <- M x + (1 - M) x'`` and ``y <- w y + (1 - w) y'`` with ``w`` the mean
    of ``M``, which follows from ``lam ~ Beta(alpha, alpha)``, drawn once a
    batch. Action labels become probabilities ``(B, Na)``: only recognizers
    that read :class:`ClipTargets` can be used, not MMAction2's own. Scene
    labels: probabilities are mixed as well; of classes it is the one with
    the larger share, unless ``num_scene_classes`` is given. (A scene teacher
    labels the mixed clip, whatever is done here.) Masks are mixed as the
    pixels.

    Args:
        num_classes (int): action classes ``Na``.
        alpha (float): of the Beta distribution, positive. Defaults to 1.
        prob (float): probability in [0, 1] that a batch is mixed.
            Defaults to 1.
        num_scene_classes (int, optional): turn scene classes into
            probabilities and mix them (DEVIAS Table 15).
    """

    def __init__(self, num_classes: int, alpha: float = 1.0, prob: float = 1.0,
                 num_scene_classes: Optional[int] = None) -> None:
        super().__init__()
        if alpha <= 0:
            raise ValueError(f'alpha must be positive, got {alpha}')
        if not 0 <= prob <= 1:
            raise ValueError(f'prob must lie in [0, 1], got {prob}')
        self.num_classes = num_classes
        self.num_scene_classes = num_scene_classes
        self.prob = prob
        self.beta = Beta(alpha, alpha)

    @abstractmethod
    def own_share(self, lam: Tensor, clips: Tensor) -> Tensor:
        """Return the share that the own clip has in each pixel.

        Args:
            lam (Tensor): 0-dim, in [0, 1], on the CPU.
            clips (Tensor): ``(B, C, T, H, W)``.

        Returns:
            Tensor: ``M`` on the device of the clips, ``(1, T or 1, H or 1, W or 1)``.
        """

    def forward(self, clips: Tensor, targets: ClipTargets) -> Tuple[Tensor, ClipTargets]:
        """Mix clips, labels and masks.

        Args:
            clips (Tensor): ``(B, C, T, H, W)``.
            targets (ClipTargets): classes or probabilities, masks or none.

        Returns:
            tuple[Tensor, ClipTargets]: ``action`` is float ``(B, Na)`` where
            the batch was mixed.
        """
        # on the CPU, as all scalar draws: the host does not wait for the device
        if torch.rand(()) >= self.prob:
            return clips, targets
        lam = self.beta.sample()
        own = self.own_share(lam, clips)
        partner = torch.randperm(len(clips), device=clips.device)
        mixed = torch.lerp(clips[partner], clips, own.unsqueeze(1))
        return mixed, self.mix_targets(targets, partner, own)

    def mix_targets(self, targets: ClipTargets, partner: Tensor, own: Tensor) -> ClipTargets:
        """Mix labels and masks as the clips were mixed.

        Args:
            targets (ClipTargets): of the clips.
            partner (Tensor): row of each clip's partner, int64 ``(B,)``.
            own (Tensor): ``M``, see :meth:`own_share`.
        """
        weight = own.mean((1, 2, 3))
        action = soft_labels(targets.action, self.num_classes)
        mixed = replace(targets, action=mix_labels(action, partner, weight))
        if targets.scene is not None:
            scene = targets.scene
            if self.num_scene_classes is not None:
                scene = soft_labels(scene, self.num_scene_classes)
            mixed.scene = mix_labels(scene, partner, weight)
        if targets.masks is not None:
            mixed.masks = mix_masks(targets.masks, partner, own)
        if targets.clip_mask is not None:
            clip_mask = targets.clip_mask[:, None]
            mixed.clip_mask = mix_masks(clip_mask, partner, own)[:, 0]
        return mixed


@MODELS.register_module()
class Mixup(BatchMixing):
    """Mixup (Zhang et al., ICLR 2018): ``M = lam`` everywhere.

    Example::

        augments = [dict(type='Mixup', num_classes=101, alpha=0.8)]

    Args:
        num_classes (int): see :class:`BatchMixing`.
        alpha (float): Defaults to 0.8 (DEVIAS Table 17).
        **kwargs: of :class:`BatchMixing`.
    """

    def __init__(self, num_classes: int, alpha: float = 0.8, **kwargs) -> None:
        super().__init__(num_classes, alpha, **kwargs)

    def own_share(self, lam: Tensor, clips: Tensor) -> Tensor:
        """Return ``lam``; see the base class."""
        return lam.to(clips.device).view(1, 1, 1, 1)


@MODELS.register_module()
class CutMix(BatchMixing):
    """CutMix (Yun et al., ICCV 2019): a box of the partner, the same in all frames.

    The box has a share ``1 - lam`` of the frame before it is clipped at the
    border; the labels' weight is the share that is left.

    Example::

        augments = [dict(type='CutMix', num_classes=101, prob=0.5)]
    """

    def own_share(self, lam: Tensor, clips: Tensor) -> Tensor:
        """Return 0 in a random box, else 1; see the base class."""
        own = clips.new_ones(1, 1, *clips.shape[-2:])
        left, top, right, bottom = CutmixBlending.rand_bbox(clips.shape, lam)
        own[..., top:bottom, left:right] = 0
        return own


@MODELS.register_module()
class VideoMix(CutMix):
    """VideoMix (Yun et al., 2020): the partner's cuboid in the clip.

    Example::

        augments = [dict(type='VideoMix', num_classes=101, extent='space-time')]

    Args:
        num_classes (int): see :class:`BatchMixing`.
        extent (str): ``'space'``: a box in all frames, which is
            :class:`CutMix`; ``'time'``: whole frames of one interval;
            ``'space-time'``: a box in the frames of an interval, each side
            ``(1 - lam) ** (1 / 3)`` of the clip's, so that the three share the
            cut equally (our choice: the paper gives no law).
            Defaults to 'space'.
        **kwargs: of :class:`BatchMixing`.
    """

    def __init__(self, num_classes: int, extent: str = 'space', **kwargs) -> None:
        super().__init__(num_classes, **kwargs)
        if extent not in EXTENTS:
            raise ValueError(f'extent must be one of {EXTENTS}, got {extent!r}')
        self.extent = extent

    def own_share(self, lam: Tensor, clips: Tensor) -> Tensor:
        """Return 0 in a random cuboid, else 1; see the base class."""
        if self.extent == 'space':
            return super().own_share(lam, clips)
        cut = 1 - lam
        if self.extent == 'time':
            cut_in_time = cut
            box = clips.new_zeros(1, 1, 1, 1)  # whole frames
        else:
            cut_in_time = cut**(1 / 3)
            cut_in_space = cut**(2 / 3)
            box = super().own_share(1 - cut_in_space, clips)
        frames = clips.shape[2]
        length = round(frames * float(cut_in_time))
        start = int(torch.randint(frames - length + 1, ()))
        own = clips.new_ones(1, frames, *box.shape[-2:])
        own[:, start:start + length] = box
        return own


@MODELS.register_module()
class OneOf(nn.Module):
    """Apply one of several augmentations to a batch.

    Example::

        augments = [dict(type='OneOf', num_classes=101,
                         augments=[dict(type='Mixup'), dict(type='CutMix')])]

    Args:
        augments (sequence[dict]): the augmentations.
        probs (sequence[float], optional): their probabilities, of sum 1.
            ``None``: all the same, as Mixup and CutMix alternate in VideoMAE's
            recipe (switch probability 0.5).
        **kwargs: arguments that all augmentations get, such as ``num_classes``.
    """

    def __init__(self, augments: Sequence[dict], probs: Optional[Sequence[float]] = None,
                 **kwargs) -> None:
        super().__init__()
        if probs is None:
            probs = [1 / len(augments)] * len(augments)
        fits = len(probs) == len(augments)
        if not fits or min(probs) < 0 or abs(sum(probs) - 1) > 1e-6:
            raise ValueError(f'probs must hold {len(augments)} probabilities of sum 1, one for '
                             f'each of the augments, got {list(probs)}')
        self.augments = nn.ModuleList()
        for augment in augments:
            self.augments.append(MODELS.build(dict(augment, **kwargs)))
        self.probs = torch.tensor(probs)  # no buffer: the draw is on the CPU

    def forward(self, clips: Tensor, targets: ClipTargets) -> Tuple[Tensor, ClipTargets]:
        """Draw an augmentation and apply it; arguments and results are those of the drawn one."""
        number = int(torch.multinomial(self.probs, 1))
        return self.augments[number](clips, targets)
