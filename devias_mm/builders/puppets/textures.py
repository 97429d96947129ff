"""Backgrounds that no training clip shows, after SCUBA's sinusoids and synthetic images."""
from typing import Callable, Dict, Tuple

import numpy as np

from devias_mm.builders.puppets.fields import blend, pixel_grid, smooth_noise


def _sinusoid(rng: np.random.Generator, canvas: int, size: int) -> np.ndarray:
    x, y = pixel_grid(canvas, size)
    angle = rng.uniform(0, np.pi)
    phase = rng.uniform(0, 2 * np.pi)
    cosine = np.cos(angle)
    sine = np.sin(angle)
    along = x * cosine + y * sine
    across = -x * sine + y * cosine
    strength = rng.uniform(0, 0.25)
    # the stripes are bent by a slow wave across them
    slow = 2 * np.pi * rng.uniform(0.5, 2)
    bends = np.sin(slow * across + phase)
    frequency = rng.uniform(2, 9)
    turns = frequency * along + strength * bends
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * turns + phase)
    first = rng.random(3)
    second = rng.random(3)
    return blend(wave, first, second)


def _noise(rng: np.random.Generator, canvas: int, size: int) -> np.ndarray:
    cells = rng.uniform(3, 20, 3) * size / 64
    channels = [smooth_noise(rng, canvas, cell) for cell in cells]
    return np.stack(channels, -1)


def _voronoi(rng: np.random.Generator, canvas: int, size: int) -> np.ndarray:
    x, y = pixel_grid(canvas, size)
    count = rng.integers(8, 30)
    seeds = rng.random((count, 2)) * canvas / size
    colours = rng.random((count, 3))
    right = x[..., None] - seeds[:, 0]
    down = y[..., None] - seeds[:, 1]
    distance = right**2 + down**2
    nearest = distance.argmin(-1)
    return colours[nearest]


_PAINTERS: Dict[str, Callable[[np.random.Generator, int, int], np.ndarray]] = {
    'sinusoid': _sinusoid,
    'noise': _noise,
    'voronoi': _voronoi,
}
TEXTURES: Tuple[str, ...] = tuple(_PAINTERS)


def paint_texture(rng: np.random.Generator, texture: str, canvas: int, size: int) -> np.ndarray:
    """Paint one texture.

    Args:
        rng: source of colours, angles and places.
        texture: one of ``TEXTURES``.
        canvas: side of the canvas in pixels.
        size: side of the frame in pixels; patterns scale with it.

    Returns:
        np.ndarray: RGB float32 ``(canvas, canvas, 3)`` in [0, 1].
    """
    image = _PAINTERS[texture](rng, canvas, size)
    return image.clip(0, 1).astype(np.float32)
