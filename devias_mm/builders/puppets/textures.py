"""Backgrounds that no training clip shows, after SCUBA's sinusoids and synthetic images."""
from typing import Tuple

import numpy as np

from devias_mm.builders.puppets.fields import blend, pixel_grid, smooth_noise


def _sinusoid(rng, canvas, size):
    x, y = pixel_grid(canvas, size)
    angle, phase = rng.uniform(0, np.pi), rng.uniform(0, 2 * np.pi)
    along = x * np.cos(angle) + y * np.sin(angle)
    across = -x * np.sin(angle) + y * np.cos(angle)
    warp = rng.uniform(0, .25) * np.sin(2 * np.pi * rng.uniform(.5, 2) * across + phase)
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * (rng.uniform(2, 9) * along + warp) + phase)
    return blend(wave, rng.random(3), rng.random(3))


def _noise(rng, canvas, size):
    cells = rng.uniform(3, 20, 3) * size / 64
    return np.stack([smooth_noise(rng, canvas, cell) for cell in cells], -1)


def _voronoi(rng, canvas, size):
    x, y = pixel_grid(canvas, size)
    seeds = rng.random((rng.integers(8, 30), 2)) * canvas / size
    colours = rng.random((len(seeds), 3))
    distance = (x[..., None] - seeds[:, 0])**2 + (y[..., None] - seeds[:, 1])**2
    return colours[distance.argmin(-1)]


_PAINTERS = {'sinusoid': _sinusoid, 'noise': _noise, 'voronoi': _voronoi}
TEXTURES: Tuple[str, ...] = tuple(_PAINTERS)


def paint_texture(rng: np.random.Generator, texture: str, canvas: int, size: int) -> np.ndarray:
    """Paint one texture.

    Args:
        rng (np.random.Generator): source of colours, angles and places.
        texture (str): one of ``TEXTURES``.
        canvas (int): side of the canvas in pixels.
        size (int): side of the frame in pixels; patterns scale with it.

    Returns:
        np.ndarray: RGB float32 ``(canvas, canvas, 3)`` in [0, 1].
    """
    return _PAINTERS[texture](rng, canvas, size).clip(0, 1).astype(np.float32)
