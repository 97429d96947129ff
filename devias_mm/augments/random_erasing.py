"""Random erasing (Zhong et al., AAAI 2020) of clips."""
from dataclasses import replace
from typing import Tuple

import torch
from kornia.augmentation.random_generator import RectangleEraseGenerator
from kornia.geometry.bbox import bbox_generator, bbox_to_mask
from mmaction.registry import MODELS
from torch import Tensor, nn

from devias_mm.augments.data_preprocessor import per_clip
from devias_mm.structures import ClipTargets


@MODELS.register_module()
class RandomErasing(nn.Module):
    """Fill a box, the same in all frames of a clip, with noise.

    The noise is uniform in [0, 1] for each pixel, channel and frame, as the
    paper's "random values". Labels stay; masks are 0 where nothing of the
    figure is left to be seen.

    Example::

        augments = [dict(type='RandomErasing', prob=0.25)]

    Args:
        prob (float): share of the clips that are erased, each drawn
            independently, in [0, 1]. Defaults to 0.25 (DEVIAS Table 17).
        area_range (tuple[float, float]): the box as a share of the frame.
            Defaults to ``(0.02, 1 / 3)``, as in VideoMAE's recipe; the paper
            goes up to 0.4.
        aspect_range (tuple[float, float]): height / width of the box.
            Defaults to ``(0.3, 1 / 0.3)`` (paper).
    """

    def __init__(self,
                 prob: float = 0.25,
                 area_range: Tuple[float, float] = (0.02, 1 / 3),
                 aspect_range: Tuple[float, float] = (0.3, 1 / 0.3)) -> None:
        super().__init__()
        if not 0 <= prob <= 1:
            raise ValueError(f'prob must lie in [0, 1], got {prob}')
        if not 0 < area_range[0] <= area_range[1] <= 1:
            raise ValueError('area_range must be two rising shares in (0, 1], got '
                             f'{tuple(area_range)}')
        if not 0 < aspect_range[0] <= aspect_range[1]:
            raise ValueError('aspect_range must be two positive rising numbers, got '
                             f'{tuple(aspect_range)}')
        self.prob = prob
        self.draw_boxes = RectangleEraseGenerator(tuple(area_range), tuple(aspect_range))

    def forward(self, clips: Tensor, targets: ClipTargets) -> Tuple[Tensor, ClipTargets]:
        """Erase a box in some of the clips.

        Args:
            clips (Tensor): in [0, 1], ``(B, C, T, H, W)``.
            targets (ClipTargets): labels and masks.

        Returns:
            tuple[Tensor, ClipTargets]: masks, where there are any, are 0 in
            the boxes.
        """
        batch = len(clips)
        height, width = clips.shape[-2:]
        box = self.draw_boxes((batch, height, width))
        corners = bbox_generator(box['xs'], box['ys'], box['widths'], box['heights'])
        corners = corners.to(clips.device, non_blocking=True)
        in_box = bbox_to_mask(corners, width, height) > 0
        drawn = torch.rand(batch, device=clips.device) < self.prob
        erased = in_box & per_clip(drawn, in_box)  # (B, H, W)
        noise = torch.rand_like(clips)
        output = torch.where(erased[:, None, None], noise, clips)
        targets = replace(targets)  # a copy: the caller's stay as they are
        if targets.masks is not None:
            targets.masks = targets.masks.masked_fill(erased[:, None], 0.0)
        if targets.clip_mask is not None:
            targets.clip_mask = targets.clip_mask.masked_fill(erased, 0.0)
        return output, targets
