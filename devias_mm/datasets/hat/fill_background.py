"""Human-only frames whose background is filled late in the pipeline."""
from typing import Dict

from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from devias_mm.datasets.hat.compose import fill_background


@TRANSFORMS.register_module()
class FillBackground(BaseTransform):
    """Fill the background with the dataset's mean colour, by the mask in the fourth channel.

    Belongs behind the resizing and cropping transforms, which treat frame and mask alike, of a
    ``HATDataset(kind='human-only', fill=False)``. HAT's own loader has both modes.

    Required keys: ``imgs`` (list of uint8 ``(H, W, 4)`` arrays: RGB and mask). Changed: ``imgs``,
    arrays ``(H, W, 3)``.

    Args:
        exact (bool): False: pixels whose mask is at most 128 get the mean truncated to
            uint8. True: the result, float32, equals what multiplying the *normalised* frame
            by the normalised mask's sign gives: the limit differs between the
            channels, and the filling is the exact mean. Defaults to False.

    Raises:
        ValueError: the frames have no fourth channel.
    """

    def __init__(self, exact: bool = False) -> None:
        self.exact = exact

    def transform(self, results: Dict) -> Dict:
        """Replace the frames."""
        if results['imgs'][0].shape[-1] != 4:
            raise ValueError('FillBackground: the frames have no mask as fourth channel: use it '
                             "with HATDataset(kind='human-only', fill=False).")
        results['imgs'] = [fill_background(img[..., :3], img[..., 3], self.exact)
                           for img in results['imgs']]
        return results
