"""Images as clips: one frame that stands still."""
import os.path as osp
from typing import Callable, Sequence, Union

import cv2
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from devias_mm.datasets.transforms.read_clip import VideoReadError


@TRANSFORMS.register_module()
class ReadStillClip(BaseTransform):
    """Read an image and repeat it: Places365 images become 16-frame clips (DEVIAS supp. B).

    Takes the place of ``ReadClip``. All frames being the same, what crops, flips or colours
    the image is done once, before it is repeated.

    Required keys: ``filename``, ``start_index``. Added keys: those of ``ReadClip``; ``imgs``
    holds the same array ``num_clips * clip_len`` times.

    Args:
        sampler (dict): as of ``ReadClip``, for its ``clip_len`` and ``num_clips``: of one
            frame it samples no other.
        transforms (Sequence[dict | Callable]): what is done to the image. Defaults to
            nothing.

    Raises:
        VideoReadError: the image cannot be decoded.
    """

    def __init__(self, sampler: dict, transforms: Sequence[Union[dict, Callable]] = ()) -> None:
        self.sampler = TRANSFORMS.build(sampler)
        self.transforms = [TRANSFORMS.build(step) if isinstance(step, dict) else step
                           for step in transforms]

    def transform(self, results: dict) -> dict:
        """Read the image that ``results`` describes."""
        filename = results['filename']
        image = cv2.imread(filename, cv2.IMREAD_COLOR)
        if image is None:
            raise VideoReadError(filename, 'no image that OpenCV can decode'
                                 if osp.isfile(filename) else 'there is no such file')
        results['imgs'] = [cv2.cvtColor(image, cv2.COLOR_BGR2RGB)]
        results['original_shape'] = results['img_shape'] = image.shape[:2]
        for step in self.transforms:
            results = step(results)
        results['total_frames'] = results['avg_fps'] = 1
        results = self.sampler(results)
        results['frame_inds'] = results['frame_inds'].reshape(-1)
        # several views of the image (ThreeCropViews): all frames of the first, of the second ...
        results['imgs'] = [view for view in results['imgs'] for _ in results['frame_inds']]
        return results
