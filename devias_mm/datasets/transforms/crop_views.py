"""Spatial views of a test clip."""
from typing import Dict

from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from devias_mm.errors import UsageError


@TRANSFORMS.register_module()
class ThreeCropViews(BaseTransform):
    """Cut three square crops: at both ends and in the middle of the longer side.

    MMAction2's ``ThreeCrop`` demands that a side of the frame equals the crop;
    here the crop is centred on the shorter side, so that frames of 256 x 256 give
    crops of 224 (DEVIAS, supp. B). The longer side of a square is its width.

    Required keys: ``imgs`` (list of ``(H, W, C)`` arrays), ``img_shape``. Changed keys:
    ``imgs`` (three times as many: all frames of the first crop, then of the
    second, ...), ``img_shape``.

    Args:
        crop_size: side of a crop in pixels, at most that of the frames.

    Raises:
        UsageError: the frames are smaller than the crop.
    """

    def __init__(self, crop_size: int) -> None:
        self.crop_size = crop_size

    def transform(self, results: Dict) -> Dict:
        """Replace the frames by their crops."""
        size = self.crop_size
        height, width = results['imgs'][0].shape[:2]
        if min(height, width) < size:
            raise UsageError(f'ThreeCropViews: frames of {width} x {height} (w x h) are smaller '
                             f'than the crop of {size}: resize them to at least that before.')
        crops = []
        for part in range(3):
            along = part * (max(height, width) - size) // 2
            across = (min(height, width) - size) // 2
            top, left = across, along
            if height > width:
                top, left = along, across
            crops += [img[top:top + size, left:left + size] for img in results['imgs']]
        results['imgs'] = crops
        results['img_shape'] = (size, size)
        return results
