"""SCUBA's sinusoidal stripes: generated backgrounds that no model has been trained on."""
from typing import Iterator

import numpy as np
from PIL import Image

CANVAS = 384  #: side of the picture before it is rotated, pixels
SIDE = 256  #: side of the result
NUM_DRAWS = 9  #: uniform numbers that a picture is made from
_BAND_LIMIT = 255  # last row of a base band; the published generator has 255 and not 383


def draw_stripes(uniforms: np.ndarray) -> np.ndarray:
    """Draw the stripes before their rotation.

    Args:
        uniforms: ``(9,)`` numbers in [0, 1): u0..u2 the colour c; half width of a
            stripe w = 5 + 15 u3; vertical period p = (3 + 2 u4) w; angular frequency
            o = 2 pi / (1000 u5 + 4); phase f = (200 u6 - 100) o; amplitude A = 10 + 100 u7; u8
            is the rotation's.

    Returns:
        np.ndarray: RGB uint8 ``(384, 384, 3)``: stripes of colour 1 - c on c, around
        ``y = A sin(o x + f) + 128``.

    Raises:
        ValueError: the numbers are not nine, or not in [0, 1).
    """
    uniforms = np.asarray(uniforms, np.float64)
    outside = (uniforms < 0) | (uniforms >= 1)
    if uniforms.shape != (NUM_DRAWS, ) or outside.any():
        raise ValueError(f'stripes are made from {NUM_DRAWS} numbers in [0, 1), got {uniforms}.')
    colour = uniforms[:3]
    width = 5 + 15 * uniforms[3]
    period = (3 + 2 * uniforms[4]) * width
    frequency = 2 * np.pi / (1000 * uniforms[5] + 4)
    phase = (200 * uniforms[6] - 100) * frequency
    amplitude = 10 + 100 * uniforms[7]
    image = np.empty((CANVAS, CANVAS, 3))
    image[:] = colour
    for x in range(CANVAS):
        centre = amplitude * np.sin(frequency * x + phase) + 128
        if 0 < centre < CANVAS:
            for band in _bands(centre, width, period):
                image[band, x] = 1 - colour
    return (image * 255).astype(np.uint8)


def _bands(centre: float, width: float, period: float) -> Iterator[slice]:
    """Yield the rows of one column that are striped."""
    low = int(max(0, centre - width))
    high = int(min(_BAND_LIMIT, centre + width))
    yield slice(low, high)
    # upwards
    step = 1
    while int(high - step * period) > 0:
        top = int(low - step * period)
        bottom = int(high - step * period)
        yield slice(max(0, top), bottom)
        step += 1
    # downwards
    step = 1
    while int(low + step * period) < CANVAS:
        top = int(low + step * period)
        bottom = int(high + step * period)
        yield slice(top, min(CANVAS, bottom))
        step += 1


def stripe_image(uniforms: np.ndarray) -> np.ndarray:
    """Return a background: stripes turned by 360 u8 degrees counter-clockwise, centre cut out.

    Args:
        uniforms: see :func:`draw_stripes`.

    Returns:
        np.ndarray: RGB uint8 ``(256, 256, 3)``.
    """
    degrees = 360 * float(uniforms[8])
    image = Image.fromarray(draw_stripes(uniforms))
    image = image.rotate(degrees, Image.Resampling.NEAREST, expand=True)
    left = (image.width - SIDE) // 2
    top = (image.height - SIDE) // 2
    box = left, top, left + SIDE, top + SIDE
    return np.asarray(image.crop(box))
