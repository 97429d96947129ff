"""What travels with a batch of clips besides the pixels."""
from dataclasses import dataclass
from typing import Optional

from torch import Tensor


@dataclass
class ClipTargets:
    """Labels and masks of a training batch, aligned with its clips.

    Batch augmentations replace entries; they never change the order of the
    batch, so row ``i`` always belongs to clip ``i``.

    Attributes:
        action (Tensor): action classes, int64 ``(B,)``, or, once clips of
            different actions were mixed, class probabilities, float
            ``(B, Na)``.
        scene (Tensor, optional): scene classes, int64 ``(B,)``, or scene
            class probabilities (soft pseudo labels), float ``(B, Ns)``. After
            the background of a clip was replaced, the label of its new scene.
        masks (Tensor, optional): foreground masks, float in [0, 1],
            ``(B, T', H, W)`` with ``T'`` masks per clip (FAME: one per tubelet
            of two frames). A clip keeps its own masks when its background is
            replaced.
        clip_mask (Tensor, optional): one mask per clip, ``(B, H, W)``: the
            foreground as the mask source sees it over the whole clip.
    """
    action: Tensor
    scene: Optional[Tensor] = None
    masks: Optional[Tensor] = None
    clip_mask: Optional[Tensor] = None
