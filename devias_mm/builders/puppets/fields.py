"""Small pieces that scenes and textures are painted from."""
import colorsys
from typing import Tuple

import cv2
import numpy as np


def hsv(hue: float, saturation: float, value: float) -> np.ndarray:
    """Return an RGB colour, float32 ``(3,)`` in [0, 1].

    The hue wraps round, saturation and value are clipped to [0, 1].
    """
    saturation = min(max(saturation, 0), 1)
    value = min(max(value, 0), 1)
    return np.array(colorsys.hsv_to_rgb(hue % 1.0, saturation, value), np.float32)


def pixel_grid(canvas: int, size: int) -> Tuple[np.ndarray, np.ndarray]:
    """Return coordinates ``x, y`` of a canvas, float32 ``(canvas, canvas)``, in frame widths."""
    y, x = np.mgrid[0:canvas, 0:canvas].astype(np.float32) / size
    return x, y


def smooth_noise(rng: np.random.Generator, canvas: int, cell: float) -> np.ndarray:
    """Return noise with blobs of about ``cell`` pixels.

    Returns:
        np.ndarray: float32 ``(canvas, canvas)``, about in [0, 1].
    """
    nodes = max(2, int(np.ceil(canvas / cell)) + 2)
    coarse = rng.random((nodes, nodes), dtype=np.float32)
    return cv2.resize(coarse, (canvas, canvas), interpolation=cv2.INTER_CUBIC)


def blend(weight: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return ``first`` where ``weight`` ``(H, W)`` is 0, ``second`` where it is 1: ``(H, W, 3)``.
    """
    return first + (second - first) * weight[..., None]
