"""From uint8 clips to a normalised, augmented batch on the device."""
from dataclasses import replace
from typing import List, Optional, Sequence, Tuple, Union

import torch
from mmaction.models.data_preprocessors import ActionDataPreprocessor
from mmaction.registry import MODELS
from torch import Tensor, nn

from devias_mm.structures import ClipTargets


@MODELS.register_module()
class DebiasDataPreprocessor(ActionDataPreprocessor):
    """Stack, move, augment and normalise a batch of clips.

    The clips travel to the device once, as uint8. While training, the
    augmentations see them as floats in [0, 1] together with their
    :class:`~devias_mm.structures.ClipTargets`, which reach
    ``recognizer.loss`` as the keyword ``targets``. Recognizers that do not
    know it, MMAction2's own among them, ignore it: label-preserving
    augmentations (FAME, BE) work on any of them.

    Example::

        model = dict(data_preprocessor=dict(
            type='DebiasDataPreprocessor', mean=[123.675, 116.28, 103.53],
            std=[58.395, 57.12, 57.375], augments=[dict(type='BackgroundErasing')]))

    Args:
        augments (sequence[dict]): modules called in order as ``clips, targets
            = augment(clips, targets)`` with clips ``(B, C, T, H, W)``. They
            keep the order of the batch.
        mean (sequence[float], optional): pixel mean in [0, 255], per channel.
        std (sequence[float], optional): pixel deviation in [0, 255].
        format_shape (str): has to be ``'NCTHW'``, the default.

    Raises:
        ValueError: for another ``format_shape``. MMAction2's ``blending`` is
            not taken: it would mix clips and labels behind the targets' back.
    """

    def __init__(self,
                 augments: Sequence[dict] = (),
                 mean: Optional[Sequence[float]] = None,
                 std: Optional[Sequence[float]] = None,
                 format_shape: str = 'NCTHW') -> None:
        super().__init__(mean=mean, std=std, format_shape=format_shape)
        if format_shape != 'NCTHW':
            raise ValueError('DebiasDataPreprocessor augments clips, which need '
                             f"format_shape='NCTHW', got {format_shape!r}")
        self.augments = nn.ModuleList([MODELS.build(augment) for augment in augments])
        if mean is not None:
            self._set_mean_colour(torch.tensor(mean, dtype=torch.float32) / 255)

    def _set_mean_colour(self, colour: Tensor) -> None:
        """Tell the augmentations that ask for it the mean colour, in [0, 1] as their clips."""
        for augment in self.augments.modules():
            if hasattr(augment, 'mean_colour'):
                augment.mean_colour = colour.clone()

    def forward(self, data: dict, training: bool = False) -> dict:
        """Process a batch.

        Args:
            data (dict): ``inputs``, list of uint8 ``(V, C, T, H, W)`` (V
                views), and ``data_samples``.
            training (bool): apply the augmentations and return ``targets``.

        Returns:
            dict: ``inputs`` float ``(B, V, C, T, H, W)`` on the device,
            ``data_samples`` and, while training, ``targets`` of ``B * V`` rows.

        Raises:
            ValueError: when the clips of a batch differ in shape.
        """
        samples = data['data_samples']
        batch = self.stack_clips(data['inputs'])
        views = batch.flatten(0, 1)
        result = dict(data_samples=samples)
        if training:
            targets = self.collect_targets(samples, batch.shape[1])
            targets = self.collect_masks(samples, batch, targets)
            views, targets = self.augment(views, targets)
            result['targets'] = targets
        views = views.to(torch.float32)
        if self._enable_normalize:
            views = (views - self.mean) / self.std
        result['inputs'] = views.unflatten(0, batch.shape[:2])
        return result

    def stack_clips(self, inputs: Sequence[Tensor]) -> Tensor:
        """Stack the clips of a batch on the device.

        Args:
            inputs (list): uint8 ``(V, C, T, H, W)`` each.

        Returns:
            Tensor: uint8 ``(B, V, C, T, H, W)``.

        Raises:
            ValueError: when their shapes differ.
        """
        shapes = {tuple(clip.shape) for clip in inputs}
        if len(shapes) > 1:
            raise ValueError(f'the clips of a batch differ in shape: {sorted(shapes)}; end the '
                             'pipeline with a Resize or crop to one size')
        batch = torch.stack(list(inputs))
        return batch.to(self.device, non_blocking=True)

    def augment(self, views: Tensor, targets: ClipTargets) -> Tuple[Tensor, ClipTargets]:
        """Apply the augmentations in turn.

        Args:
            views (Tensor): uint8 ``(B * V, C, T, H, W)``.
            targets (ClipTargets): of these clips.

        Returns:
            tuple[Tensor, ClipTargets]: clips in [0, 255] and their targets.
        """
        if not len(self.augments):
            return views, targets
        views = views.to(torch.float32) / 255
        # MMEngine preprocesses inside autocast; FAME's histograms need full precision
        with torch.autocast(views.device.type, enabled=False):
            for augment in self.augments:
                views, targets = augment(views, targets)
        return views * 255, targets

    def collect_targets(self, samples: List, num_views: int) -> ClipTargets:
        """Stack the labels of a batch and move them to the device once.

        Args:
            samples (list): data samples with ``gt_label`` and, where scenes
                are labelled, ``scene_label``: an int or class probabilities.
            num_views (int): views per sample; labels are repeated.

        Returns:
            ClipTargets: ``scene`` is None when no sample has a scene label.

        Raises:
            ValueError: when only some samples of the batch have one.
        """
        action = torch.cat([sample.gt_label for sample in samples])
        targets = ClipTargets(self._repeat_for_views(action, num_views))
        scenes = [sample.get('scene_label', -1) for sample in samples]
        # labels are still on the host here: no device synchronisation
        known = [is_label(scene) for scene in scenes]
        if all(known):
            scene = torch.stack([torch.as_tensor(scene) for scene in scenes])
            targets.scene = self._repeat_for_views(scene, num_views)
        elif any(known):
            culprit = samples[known.index(False)].get('video_id', 'unknown')
            raise ValueError(f'video {culprit!r} has no scene label but others of its batch have: '
                             'complete the scene column of the list file')
        return targets

    def _repeat_for_views(self, values: Tensor, num_views: int) -> Tensor:
        """Move what belongs to the samples, ``(B, ...)``, to their views, ``(B * V, ...)``."""
        repeated = values.repeat_interleave(num_views, 0)
        return repeated.to(self.device, non_blocking=True)

    def collect_masks(self, samples: List, batch: Tensor, targets: ClipTargets) -> ClipTargets:
        """Move masks that came with the samples (``LoadMasks``) to the device.

        Args:
            samples (list): data samples, all or none with ``masks``, uint8 ``(V, T, H, W)``.
            batch (Tensor): the clips, ``(B, V, C, T, H, W)``.
            targets (ClipTargets): get ``masks`` ``(B * V, T, H, W)``, one a frame, and
                ``clip_mask``, their union.

        Raises:
            ValueError: when only some samples have masks, or they do not fit the clips.
        """
        masks = [sample.get('masks') for sample in samples]
        if all(mask is None for mask in masks):
            return targets
        views, _, *size = batch.shape[1:]
        for sample, mask in zip(samples, masks):
            found = None
            if mask is not None:
                found = tuple(mask.shape)
            if found != (views, *size):
                culprit = sample.get('video_id', 'unknown')
                raise ValueError(
                    f'video {culprit!r} has masks of the shape {found} '
                    f'for {views} view(s) of {size} (T, H, W): put every crop, resize and flip '
                    'into the `geometry` of LoadMasks, in the pipelines of all data sets')
        masks = torch.stack(masks).to(self.device, non_blocking=True)
        masks = masks.flatten(0, 1).to(torch.float32) / 255
        return replace(targets, masks=masks, clip_mask=masks.amax(1))

    @property
    def device(self) -> Optional[torch.device]:
        """torch.device: where the batches go."""
        return self._device


def per_clip(mask: Tensor, clips: Tensor) -> Tensor:
    """View a ``(B,)`` tensor so that it broadcasts over ``clips``."""
    ones = [1] * (clips.dim() - 1)
    return mask.view(-1, *ones)


def is_label(label: Union[int, Tensor]) -> bool:
    """Tell a label, a class or probabilities, from the -1 of a sample without one."""
    if isinstance(label, int):
        return label >= 0
    return True
