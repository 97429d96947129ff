"""RandAugment of clips, as VideoMAE's fine-tuning has it."""
from typing import Dict, List, Sequence, Tuple

import numpy as np
import torch
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform
from PIL import Image, ImageEnhance, ImageOps

#: operations on colours, of an image and a strength in [-1, 1]; the sign is used where more
#: and less of something are different things
COLOURS = dict(
    AutoContrast=lambda image, s: ImageOps.autocontrast(image),
    Equalize=lambda image, s: ImageOps.equalize(image),
    Invert=lambda image, s: ImageOps.invert(image),
    Posterize=lambda image, s: ImageOps.posterize(image, 4 - int(4 * abs(s))),
    Solarize=lambda image, s: ImageOps.solarize(image, 256 - int(256 * abs(s))),
    SolarizeAdd=lambda image, s: image.point(
        [min(255, i + int(110 * abs(s))) if i < 128 else i for i in range(256)] * 3),
    Color=lambda image, s: ImageEnhance.Color(image).enhance(1 + .9 * s),
    Contrast=lambda image, s: ImageEnhance.Contrast(image).enhance(1 + .9 * s),
    Brightness=lambda image, s: ImageEnhance.Brightness(image).enhance(1 + .9 * s),
    Sharpness=lambda image, s: ImageEnhance.Sharpness(image).enhance(1 + .9 * s))
#: operations that move pixels, as Pillow's affine coefficients of strength, width and height
GEOMETRY = dict(
    Rotate=None,  # Pillow's own, about the centre
    ShearX=lambda s, width, height: (1, .3 * s, 0, 0, 1, 0),
    ShearY=lambda s, width, height: (1, 0, 0, .3 * s, 1, 0),
    TranslateX=lambda s, width, height: (1, 0, .45 * s * width, 0, 1, 0),
    TranslateY=lambda s, width, height: (1, 0, 0, 0, 1, .45 * s * height))
OPERATIONS = (*COLOURS, *GEOMETRY)


def apply_operation(image: Image.Image, name: str, strength: float, fill) -> Image.Image:
    """Apply an operation.

    Args:
        image (Image): RGB; for a name in ``GEOMETRY`` of any mode.
        name (str): one of ``OPERATIONS``.
        strength (float): in [-1, 1].
        fill (int | tuple): colour of what comes in from outside.
    """
    if name in COLOURS:
        return COLOURS[name](image, strength)
    if name == 'Rotate':
        return image.rotate(30 * strength, Image.Resampling.BILINEAR, fillcolor=fill)
    return image.transform(image.size, Image.Transform.AFFINE, GEOMETRY[name](
        strength, *image.size), Image.Resampling.BILINEAR, fillcolor=fill)


@TRANSFORMS.register_module()
class RandAugment(BaseTransform):
    """A few random operations, the same for all frames (Cubuk et al., 2020).

    The defaults are what VideoMAE's fine-tuning calls ``rand-m7-n4-mstd0.5-inc1``: four of
    15 operations, with replacement, each left out with probability 0.5; magnitudes from
    N(7, 0.5), clipped to [0, 10]; for all operations a larger magnitude is a larger change.
    MMAction2's own is a wrapper of a package that it does not install, and kornia's draws
    without replacement and with a fixed magnitude. The images are Pillow's, as theirs were.

    Works on the frames of one crop size or larger, anywhere between ``ReadClip`` and
    ``FormatShape``. Where ``LoadMasks`` came before, masks move with their frames.

    Required keys: ``imgs``, uint8 RGB. Changed keys: ``imgs`` and, where present, ``masks``.

    Args:
        magnitude (float): mean magnitude, in [0, 10]. Defaults to 7.
        num_ops (int): operations per clip. Defaults to 4.
        magnitude_std (float): deviation of the magnitude. Defaults to 0.5.
        prob (float): probability that an operation that was drawn is applied. Defaults to 0.5.
        fill (int): grey value of what comes in from outside. Defaults to 128.

    Raises:
        ValueError: a bad argument.
    """

    def __init__(self,
                 magnitude: float = 7.,
                 num_ops: int = 4,
                 magnitude_std: float = .5,
                 prob: float = .5,
                 fill: int = 128) -> None:
        if not 0 <= magnitude <= 10:
            raise ValueError(f'RandAugment: magnitude must lie in [0, 10], got {magnitude}')
        if num_ops < 1 or magnitude_std < 0 or not 0 <= prob <= 1:
            raise ValueError('RandAugment: num_ops must be at least 1, magnitude_std at least 0 '
                             f'and prob in [0, 1], got {num_ops}, {magnitude_std} and {prob}')
        self.magnitude = magnitude
        self.num_ops = num_ops
        self.magnitude_std = magnitude_std
        self.prob = prob
        self.fill = fill

    def draw(self) -> List[Tuple[str, float]]:
        """Names and strengths, in [-1, 1], of the operations of a clip."""
        names = np.random.choice(OPERATIONS, self.num_ops)
        names = names[np.random.rand(self.num_ops) < self.prob]
        levels = np.random.normal(self.magnitude, self.magnitude_std, len(names)).clip(0, 10)
        signs = np.random.choice((-1, 1), len(names))
        return [(str(name), float(strength)) for name, strength in zip(names, signs * levels / 10)]

    def transform(self, results: Dict) -> Dict:
        """Apply one draw to all frames and masks."""
        operations = self.draw()
        results['imgs'] = [self.apply(image, operations, (self.fill, ) * 3)
                           for image in results['imgs']]
        if 'masks' in results:
            moves = [step for step in operations if step[0] in GEOMETRY]
            masks = results['masks']
            moved = [self.apply(mask, moves, 0) for mask in masks.flatten(0, 1).numpy()]
            results['masks'] = torch.from_numpy(np.stack(moved)).view_as(masks)
        return results

    @staticmethod
    def apply(array: np.ndarray, operations: Sequence[Tuple[str, float]], fill) -> np.ndarray:
        """Apply operations to an image, uint8 ``(H, W, 3)`` or ``(H, W)``, in turn."""
        image = Image.fromarray(array)
        for name, strength in operations:
            image = apply_operation(image, name, strength, fill)
        return np.array(image)
