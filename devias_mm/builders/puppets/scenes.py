"""The eight procedural scene families: one canvas a clip, its look drawn at random."""
from typing import Callable, Dict, NamedTuple, Tuple

import numpy as np

from devias_mm.builders.puppets.fields import blend, hsv, pixel_grid, smooth_noise


class Look(NamedTuple):
    """How one clip's scene differs from others of its family.

    Attributes:
        hue: of the family plus this clip's shift, in turns.
        saturation: factor of the family's.
        value: factor of the family's.
        scale: factor of a size or of a spatial frequency.
        phase: two angles in radians.
    """
    hue: float
    saturation: float
    value: float
    scale: float
    phase: Tuple[float, float]

    def colour(self, saturation: float, value: float, shift: float = 0.0) -> np.ndarray:
        """Return a colour of the family, its hue moved by ``shift`` turns."""
        return hsv(self.hue + shift, saturation * self.saturation, value * self.value)


# Every painter takes coordinates x, y in frame widths, (canvas, canvas), a look and a generator,
# and returns RGB (canvas, canvas, 3). The order of the operations is part of the data: the same
# formula in another order may give other last bits, and other bytes of the files.


def _stripes(x: np.ndarray, y: np.ndarray, look: Look, rng: np.random.Generator) -> np.ndarray:
    angle = rng.uniform(-0.5, 0.5)
    along = x * np.cos(angle) + y * np.sin(angle)
    frequency = 10 * np.pi * look.scale
    wave = np.sin(frequency * along + look.phase[0])
    bright = (wave > 0).astype(np.float32)
    dark = look.colour(0.65, 0.45)
    light = look.colour(0.6, 0.68)
    return blend(bright, dark, light)


def _brick(x: np.ndarray, y: np.ndarray, look: Look, rng: np.random.Generator) -> np.ndarray:
    offset_x, offset_y = rng.random(2)
    height = 0.16 * look.scale
    width = 0.34 * look.scale
    row = (y + offset_y) / height
    # every second row is moved by half a brick
    odd = np.floor(row) % 2
    column = (x + offset_x) / width + 0.5 * odd
    upright_joint = column % 1 < 0.07
    level_joint = row % 1 < 0.14
    joint = upright_joint | level_joint
    # a hash of the brick's place gives each brick a tone of its own
    place = np.floor(row) * 12.9898 + np.floor(column) * 78.233
    tone = np.sin(place + look.phase[0]) * 43758.5
    light = look.colour(0.7, 0.6)
    dark = look.colour(0.6, 0.42)
    wall = blend((tone % 1) * 0.5, light, dark)
    mortar = hsv(look.hue + 0.03, 0.12, 0.78 * look.value)
    return blend(joint.astype(np.float32), wall, mortar)


def _waves(x: np.ndarray, y: np.ndarray, look: Look, rng: np.random.Generator) -> np.ndarray:
    frequency = 2 * np.pi * 1.3 * look.scale
    bend = 0.35 * np.sin(frequency * x + look.phase[0])
    turns = 4.2 * look.scale * y + bend
    height = 2 * np.pi * turns + look.phase[1]
    crest = 0.5 + 0.5 * np.sin(height)
    water = look.colour(0.75, 0.45)
    foam = look.colour(0.35, 0.9, -0.03)
    return blend(crest, water, foam)


def _checker(x: np.ndarray, y: np.ndarray, look: Look, rng: np.random.Generator) -> np.ndarray:
    cell = 0.19 * look.scale
    column = np.floor(x / cell + look.phase[0])
    row = np.floor(y / cell + look.phase[1])
    light = look.colour(0.35, 0.85)
    dark = look.colour(0.5, 0.38)
    return blend((column + row) % 2, light, dark)


def _forest(x: np.ndarray, y: np.ndarray, look: Look, rng: np.random.Generator) -> np.ndarray:
    canvas = len(x)
    coarse = smooth_noise(rng, canvas, canvas / 6 / look.scale)
    fine = smooth_noise(rng, canvas, canvas / 20 / look.scale)
    leaves = 0.5 * coarse + 0.5 * fine
    shade = look.colour(0.8, 0.12)
    green = look.colour(0.7, 0.62, -0.05)
    foliage = blend(leaves.clip(0, 1), shade, green)
    wobble = 0.6 * np.sin(6 * x + look.phase[1])
    frequency = 2 * np.pi * 3.1 * look.scale
    trunk = np.sin(frequency * x + look.phase[0] + wobble) > 0.72
    bark = look.colour(0.5, 0.28, -0.29)
    return blend(trunk.astype(np.float32), foliage, bark)


def _sky(x: np.ndarray, y: np.ndarray, look: Look, rng: np.random.Generator) -> np.ndarray:
    canvas = len(x)
    zenith = look.colour(0.65, 0.75)
    horizon = look.colour(0.2, 0.98, -0.06)
    height = (y / y.max()).clip(0, 1)
    air = blend(height, zenith, horizon)
    coarse = smooth_noise(rng, canvas, canvas / 3 / look.scale)
    fine = smooth_noise(rng, canvas, canvas / 8 / look.scale)
    puffs = 0.65 * coarse + 0.35 * fine
    clouds = ((puffs - 0.5) * 4).clip(0, 1)
    white = hsv(0, 0, 0.97)
    return blend(clouds, air, white)


def _dots(x: np.ndarray, y: np.ndarray, look: Look, rng: np.random.Generator) -> np.ndarray:
    cell = 0.22 * look.scale
    column = x / cell + look.phase[0]
    row = y / cell + look.phase[1]
    # from the centre of the dot, in cells
    u = column % 1 - 0.5
    v = row % 1 - 0.5
    depth = 0.33 - np.hypot(u, v)
    inside = (depth * 8 + 0.5).clip(0, 1)
    ground = look.colour(0.35, 0.9)
    dot = look.colour(0.8, 0.6, -0.1)
    return blend(inside, ground, dot)


def _wood(x: np.ndarray, y: np.ndarray, look: Look, rng: np.random.Generator) -> np.ndarray:
    canvas = len(x)
    warp = 1.6 * smooth_noise(rng, canvas, canvas / 3)
    turns = 7 * look.scale * y + warp
    rings = 2 * np.pi * turns + look.phase[0]
    grain = 0.5 + 0.5 * np.sin(rings)
    light = look.colour(0.6, 0.62)
    dark = look.colour(0.75, 0.3, -0.02)
    return blend(grain**2, light, dark)


class Family(NamedTuple):
    """A scene family: its hue in turns, and what paints it."""
    hue: float
    paint: Callable[[np.ndarray, np.ndarray, Look, np.random.Generator], np.ndarray]


#: scene class ``i`` accompanies action class ``i``
_FAMILIES: Dict[str, Family] = {
    'stripes': Family(0.28, _stripes),
    'brick': Family(0.03, _brick),
    'waves': Family(0.56, _waves),
    'checker': Family(0.80, _checker),
    'forest': Family(0.36, _forest),
    'sky': Family(0.60, _sky),
    'dots': Family(0.13, _dots),
    'wood': Family(0.08, _wood),
}
SCENES: Tuple[str, ...] = tuple(_FAMILIES)


def draw_look(rng: np.random.Generator, hue: float, jitter: float) -> Look:
    """Draw how a clip's scene differs from others of its family, see :func:`paint_scene`."""
    hue = hue + jitter * rng.uniform(-0.06, 0.06)
    saturation = 1 + jitter * rng.uniform(-0.2, 0.15)
    value = 1 + jitter * rng.uniform(-0.15, 0.1)
    scale = rng.uniform(0.75, 1.35)**min(jitter, 2)
    phase = rng.uniform(0, 2 * np.pi, 2)
    # only the hue varies without bounds: beyond these, the pattern itself would be lost
    saturation = min(max(0.4, saturation), 1.3)
    value = min(max(0.6, value), 1.15)
    return Look(hue, saturation, value, scale, tuple(phase))


def paint_scene(rng: np.random.Generator, scene: str, canvas: int, size: int,
                jitter: float = 1.0) -> np.ndarray:
    """Paint one scene of a family.

    Args:
        rng: source of the look.
        scene: one of ``SCENES``.
        canvas: side of the canvas in pixels (frame plus margin).
        size: side of the frame in pixels; patterns scale with it.
        jitter: how much hue, tone and scale vary within a family; 0 = not at all,
            1 = families stay apart by their hues, 8 = any hue.

    Returns:
        np.ndarray: RGB float32 ``(canvas, canvas, 3)`` in [0, 1].
    """
    family = _FAMILIES[scene]
    look = draw_look(rng, family.hue, jitter)
    x, y = pixel_grid(canvas, size)
    image = family.paint(x, y, look, rng)
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    image = image + 0.015 * noise
    return image.clip(0, 1).astype(np.float32)
