"""Backgrounds that no training clip shows, after SCUBA's sinusoids and synthetic images."""
from typing import Callable, Dict, Tuple

import numpy as np

from devias_mm.builders.puppets.fields import blend, pixel_grid, smooth_noise


def _sinusoid(rng: np.random.Generator, canvas: int, size: int) -> np.ndarray:
    x, y = pixel_grid(canvas, size)
    angle = rng.uniform(0, np.pi)
    phase = rng.uniform(0, 2 * np.pi)
    along = x * np.cos(angle) + y * np.sin(angle)
    across = -x * np.sin(angle) + y * np.cos(angle)
    strength = rng.uniform(0, 0.25)
    bends = np.sin(2 * np.pi * rng.uniform(0.5, 2) * across + phase)
    warp = strength * bends
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * (rng.uniform(2, 9) * along + warp) + phase)
    return blend(wave, rng.random(3), rng.random(3))


def _noise(rng: np.random.Generator, canvas: int, size: int) -> np.ndarray:
    cells = rng.uniform(3, 20, 3) * size / 64
    channels = [smooth_noise(rng, canvas, cell) for cell in cells]
    return np.stack(channels, -1)


def _voronoi(rng: np.random.Generator, canvas: int, size: int) -> np.ndarray:
    x, y = pixel_grid(canvas, size)
    count = rng.integers(8, 30)
    seeds = rng.random((count, 2)) * canvas / size
    colours = rng.random((count, 3))
    distance = (x[..., None] - seeds[:, 0])**2 + (y[..., None] - seeds[:, 1])**2
    return colours[distance.argmin(-1)]


_PAINTERS: Dict[str, Callable[[np.random.Generator, int, int], np.ndarray]] = {
    'sinusoid': _sinusoid, 'noise': _noise, 'voronoi': _voronoi}
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
    return _PAINTERS[texture](rng, canvas, size).clip(0, 1).astype(np.float32)
