"""Images as clips: one frame, repeated."""
from typing import Callable, Sequence, Union

from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from devias_mm.datasets.transforms.read_clip import VideoReadError
from devias_mm.pictures import ImageReadError, read_image


@TRANSFORMS.register_module()
class ReadStillClip(BaseTransform):
    """Read an image and repeat it: Places365 images become 16-frame clips (DEVIAS supp. B).

    It takes the place of ``ReadClip``. All frames being the same, what crops, flips or colours
    the image is done once, before it is repeated.

    Required keys: ``filename``, ``start_index``. Added keys: those of ``ReadClip``; ``imgs``
    holds the same array ``num_clips * clip_len`` times.

    Args:
        sampler: as of ``ReadClip``, for its ``clip_len`` and ``num_clips``: of one
            frame it samples no other.
        transforms: what is done to the image.

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
        try:
            image = read_image(filename)
        except ImageReadError as error:
            raise VideoReadError(filename, error.short) from error
        results['imgs'] = [image]
        results['original_shape'] = results['img_shape'] = image.shape[:2]
        for step in self.transforms:
            results = step(results)
        results['total_frames'] = results['avg_fps'] = 1
        results = self.sampler(results)
        results['frame_inds'] = results['frame_inds'].reshape(-1)
        # several views of the image (ThreeCropViews): all frames of the first, of the second ...
        views = results['imgs']
        results['imgs'] = []
        for view in views:
            results['imgs'] += [view] * len(results['frame_inds'])
        return results
