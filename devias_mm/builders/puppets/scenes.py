"""The eight procedural scene families: one canvas a clip, its look drawn at random."""
from typing import Callable, Dict, NamedTuple, Tuple

import numpy as np

from devias_mm.builders.puppets.fields import blend, hsv, pixel_grid, smooth_noise


class Look(NamedTuple):
    """How one clip's scene differs from others of its family."""
    hue: float  # of the family plus this clip's shift, in turns
    saturation: float  # factor
    value: float  # factor
    scale: float  # spatial frequency or size factor
    phase: Tuple[float, float]  # radians

    def colour(self, saturation: float, value: float, shift: float = 0.) -> np.ndarray:
        return hsv(self.hue + shift, saturation * self.saturation, value * self.value)


def _stripes(x, y, look, rng):
    angle = rng.uniform(-0.5, 0.5)
    along = x * np.cos(angle) + y * np.sin(angle)
    rows = (np.sin(10 * np.pi * look.scale * along + look.phase[0]) > 0).astype(np.float32)
    return blend(rows, look.colour(.65, .45), look.colour(.6, .68))


def _brick(x, y, look, rng):
    offset_x, offset_y = rng.random(2)
    row = (y + offset_y) / (0.16 * look.scale)
    column = (x + offset_x) / (0.34 * look.scale) + 0.5 * (np.floor(row) % 2)
    joint = (column % 1 < 0.07) | (row % 1 < 0.14)
    # a hash of the brick's place gives each brick a tone of its own
    tone = np.sin(np.floor(row) * 12.9898 + np.floor(column) * 78.233 + look.phase[0]) * 43758.5
    wall = blend((tone % 1) * 0.5, look.colour(.7, .6), look.colour(.6, .42))
    return blend(joint.astype(np.float32), wall, hsv(look.hue + .03, .12, .78 * look.value))


def _waves(x, y, look, rng):
    bend = 0.35 * np.sin(2 * np.pi * 1.3 * look.scale * x + look.phase[0])
    crest = 0.5 + 0.5 * np.sin(2 * np.pi * (4.2 * look.scale * y + bend) + look.phase[1])
    return blend(crest, look.colour(.75, .45), look.colour(.35, .9, -.03))


def _checker(x, y, look, rng):
    cell = 0.19 * look.scale
    odd = (np.floor(x / cell + look.phase[0]) + np.floor(y / cell + look.phase[1])) % 2
    return blend(odd, look.colour(.35, .85), look.colour(.5, .38))


def _forest(x, y, look, rng):
    canvas = len(x)
    leaves = (0.5 * smooth_noise(rng, canvas, canvas / 6 / look.scale)
              + 0.5 * smooth_noise(rng, canvas, canvas / 20 / look.scale))
    image = blend(leaves.clip(0, 1), look.colour(.8, .12), look.colour(.7, .62, -.05))
    wobble = 0.6 * np.sin(6 * x + look.phase[1])
    trunk = np.sin(2 * np.pi * 3.1 * look.scale * x + look.phase[0] + wobble) > 0.72
    return blend(trunk.astype(np.float32), image, look.colour(.5, .28, -.29))


def _sky(x, y, look, rng):
    canvas = len(x)
    image = blend((y / y.max()).clip(0, 1), look.colour(.65, .75), look.colour(.2, .98, -.06))
    puffs = (0.65 * smooth_noise(rng, canvas, canvas / 3 / look.scale)
             + 0.35 * smooth_noise(rng, canvas, canvas / 8 / look.scale))
    return blend(((puffs - 0.5) * 4).clip(0, 1), image, hsv(0, 0, .97))


def _dots(x, y, look, rng):
    cell = 0.22 * look.scale
    u, v = (x / cell + look.phase[0]) % 1 - .5, (y / cell + look.phase[1]) % 1 - .5
    inside = ((0.33 - np.hypot(u, v)) * 8 + .5).clip(0, 1)
    return blend(inside, look.colour(.35, .9), look.colour(.8, .6, -.1))


def _wood(x, y, look, rng):
    warp = 1.6 * smooth_noise(rng, len(x), len(x) / 3)
    grain = 0.5 + 0.5 * np.sin(2 * np.pi * (7 * look.scale * y + warp) + look.phase[0])
    return blend(grain**2, look.colour(.6, .62), look.colour(.75, .3, -.02))


#: name -> (base hue in turns, painter); scene class ``i`` accompanies action class ``i``
_FAMILIES: Dict[str, Tuple[float, Callable]] = {
    'stripes': (0.28, _stripes),
    'brick': (0.03, _brick),
    'waves': (0.56, _waves),
    'checker': (0.80, _checker),
    'forest': (0.36, _forest),
    'sky': (0.60, _sky),
    'dots': (0.13, _dots),
    'wood': (0.08, _wood),
}
SCENES: Tuple[str, ...] = tuple(_FAMILIES)


def paint_scene(rng: np.random.Generator, scene: str, canvas: int, size: int,
                jitter: float = 1.) -> np.ndarray:
    """Paint one scene of a family.

    Args:
        rng (np.random.Generator): source of the look.
        scene (str): one of ``SCENES``.
        canvas (int): side of the canvas in pixels (frame plus margin).
        size (int): side of the frame in pixels; patterns scale with it.
        jitter (float): how much hue, tone and scale vary within a family; 0 = not at all,
            1 = families stay apart by their hues, 8 = any hue.

    Returns:
        np.ndarray: RGB float32 ``(canvas, canvas, 3)`` in [0, 1].
    """
    base_hue, paint = _FAMILIES[scene]
    # only the hue varies without bounds: beyond these, the pattern itself would be lost
    look = Look(
        hue=base_hue + jitter * rng.uniform(-.06, .06),
        saturation=min(max(.4, 1 + jitter * rng.uniform(-.2, .15)), 1.3),
        value=min(max(.6, 1 + jitter * rng.uniform(-.15, .1)), 1.15),
        scale=rng.uniform(.75, 1.35)**min(jitter, 2),
        phase=tuple(rng.uniform(0, 2 * np.pi, 2)))
    x, y = pixel_grid(canvas, size)
    image = paint(x, y, look, rng)
    grain = 0.015 * rng.standard_normal(image.shape, dtype=np.float32)
    return (image + grain).clip(0, 1).astype(np.float32)
