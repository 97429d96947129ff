"""Small pieces that scenes and textures are painted from."""
import colorsys
from typing import Tuple

import cv2
import numpy as np


def hsv(hue: float, saturation: float, value: float) -> np.ndarray:
    """RGB colour, float32 ``(3,)`` in [0, 1]; the hue wraps round, the others are clipped."""
    rgb = colorsys.hsv_to_rgb(hue % 1.0, min(max(saturation, 0), 1), min(max(value, 0), 1))
    return np.array(rgb, np.float32)


def pixel_grid(canvas: int, size: int) -> Tuple[np.ndarray, np.ndarray]:
    """Coordinates ``x, y`` of a canvas, float32 ``(canvas, canvas)``, in frame widths."""
    y, x = np.mgrid[0:canvas, 0:canvas].astype(np.float32) / size
    return x, y


def smooth_noise(rng: np.random.Generator, canvas: int, cell: float) -> np.ndarray:
    """Noise with blobs of about ``cell`` pixels: float32 ``(canvas, canvas)``, about [0, 1]."""
    nodes = max(2, int(np.ceil(canvas / cell)) + 2)
    coarse = rng.random((nodes, nodes), dtype=np.float32)
    return cv2.resize(coarse, (canvas, canvas), interpolation=cv2.INTER_CUBIC)


def blend(weight: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """``first`` where ``weight`` ``(H, W)`` is 0, ``second`` where it is 1: ``(H, W, 3)``."""
    return first + (second - first) * weight[..., None]
