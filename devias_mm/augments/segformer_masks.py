"""Foreground masks from semantic segmentation (SegFormer, Xie et al., NeurIPS 2021)."""
from dataclasses import replace
from typing import Optional, Sequence, Tuple

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor, nn

from devias_mm.layers.hub_model import HubModel
from devias_mm.structures import ClipTargets

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
FRAMES_PER_MASK = 2  # the encoder's tubelet
FRAMES_PER_PASS = 16  # bounds the memory


@MODELS.register_module()
class SegFormerMasks(nn.Module):
    """Put the masks of people into the targets of a batch (DEVIAS Table 6 (i)).

    A mask source like :class:`FAMEMasks`, with a trained network of the extra ``segformer`` in
    place of motion and colour. The network is frozen, does not belong to the recognizer's
    weights, and is loaded with the first batch.

    Example::

        augments = [dict(type='SegFormerMasks'), dict(type='SceneMix')]

    Args:
        checkpoint (str): folder of a saved ``SegformerForSemanticSegmentation``, or its name
            on the hub. Defaults to the B0 model trained on ADE20K.
        person_classes (sequence[int]): classes that are foreground. Defaults to ``(12, )``,
            "person" of ADE20K.
        size (int, optional): side in pixels of the square that a frame is resized to for the
            network; ``None``: the frame as it is. Defaults to 512, what the ADE20K models
            were trained on.

    Raises:
        ValueError: an option has a bad value, or (with the first batch) the network does not
            know a class.
    """

    def __init__(self,
                 checkpoint: str = 'nvidia/segformer-b0-finetuned-ade-512-512',
                 person_classes: Sequence[int] = (12, ),
                 size: Optional[int] = 512) -> None:
        super().__init__()
        if not person_classes:
            raise ValueError('person_classes is empty: name at least one class, such as (12, )')
        if size is not None and size < 1:
            raise ValueError(f'size must be at least 1, got {size}')
        self.network = HubModel('SegformerForSemanticSegmentation', checkpoint, 'segformer')
        self.person_classes = list(person_classes)
        self.is_person: Optional[Tensor] = None  # known once the network is
        self.size = size
        mean = torch.tensor(IMAGENET_MEAN).view(3, 1, 1)
        std = torch.tensor(IMAGENET_STD).view(3, 1, 1)
        self.register_buffer('mean', mean, persistent=False)
        self.register_buffer('std', std, persistent=False)

    def person_channels(self, labels: int) -> Tensor:
        """Mark those of the network's ``labels`` classes that are people, bool ``(labels, 1, 1)``.

        Raises:
            ValueError: the network does not know a class, or knows no others.
        """
        unknown = [label for label in self.person_classes if not 0 <= label < labels]
        everything = len(set(self.person_classes)) == labels
        if unknown or everything:
            raise ValueError(f'person_classes {unknown or self.person_classes}: '
                             f'{self.network.checkpoint!r} knows the classes 0..{labels - 1}, '
                             'and not all of them can be people')
        channels = torch.zeros(labels, 1, 1, dtype=torch.bool)
        channels[self.person_classes] = True
        return channels

    def segment(self, frames: Tensor) -> Tensor:
        """Mark the pixels where a person is the most likely class.

        Args:
            frames (Tensor): RGB in [0, 1], ``(N, 3, H, W)``.

        Returns:
            Tensor: float 0/1, ``(N, H, W)``.
        """
        network = self.network(frames.device)
        if self.is_person is None:
            self.is_person = self.person_channels(network.config.num_labels)
        self.is_person = self.is_person.to(frames.device)
        images = (frames - self.mean) / self.std
        if self.size is not None:
            square = (self.size, self.size)
            images = F.interpolate(
                images, size=square, mode='bilinear', align_corners=False, antialias=True)
        scores = network(pixel_values=images).logits
        best_person = scores.masked_fill(~self.is_person, -torch.inf).amax(1)
        best_other = scores.masked_fill(self.is_person, -torch.inf).amax(1)
        # one map to enlarge instead of one per class
        margin = best_person - best_other
        margin = F.interpolate(
            margin[:, None], size=frames.shape[-2:], mode='bilinear', align_corners=False)
        is_person = margin[:, 0] > 0
        return is_person.to(frames.dtype)

    @torch.no_grad()
    def forward(self, clips: Tensor, targets: ClipTargets) -> Tuple[Tensor, ClipTargets]:
        """Compute the masks; the clips stay as they are.

        Args:
            clips (Tensor): RGB in [0, 1], ``(B, 3, T, H, W)``, T even.
            targets (ClipTargets): gets ``masks``, ``(B, T / 2, H, W)``, of the first frame of
                each pair, and ``clip_mask``, their union.

        Raises:
            ValueError: T is odd.
        """
        if clips.shape[2] % FRAMES_PER_MASK:
            raise ValueError(f'SegFormerMasks makes one mask for {FRAMES_PER_MASK} frames, got '
                             f'clips of {clips.shape[2]} frames: choose an even clip_len')
        frames = clips[:, :, ::FRAMES_PER_MASK].transpose(1, 2)
        parts = frames.flatten(0, 1).split(FRAMES_PER_PASS)
        masks = torch.cat([self.segment(part) for part in parts])
        masks = masks.unflatten(0, frames.shape[:2])
        return clips, replace(targets, masks=masks, clip_mask=masks.amax(1))
