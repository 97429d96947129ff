"""Reading images: frames, masks and pictures of scenes."""
import os.path as osp

import cv2
import numpy as np

DECODE_RGB = getattr(cv2, 'IMREAD_COLOR_RGB', None)  # from OpenCV 4.11 on; cheaper than swapping


class ImageReadError(OSError):
    """An image that is missing or cannot be decoded."""


def read_image(path: str, grey: bool = False) -> np.ndarray:
    """Read an image as it is stored; an orientation in its metadata is ignored.

    Args:
        path: the file.
        grey: whether to read brightness rather than colours.

    Returns:
        np.ndarray: RGB, uint8 ``(H, W, 3)``, or ``(H, W)`` where grey.

    Raises:
        ImageReadError: there is no such file, or it cannot be decoded.

    Example::

        >>> read_image('data/hat/seg/jump/a/000001.png', grey=True).shape
        (240, 320)
    """
    colours = DECODE_RGB or cv2.IMREAD_COLOR
    flag = cv2.IMREAD_GRAYSCALE if grey else colours
    try:
        image = cv2.imread(path, flag | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:  # a header that promises billions of pixels
        image = None
    if image is None:
        state = 'cannot be decoded' if osp.isfile(path) else 'is missing'
        raise ImageReadError(f'frame {osp.basename(path)} {state}')
    if not grey and DECODE_RGB is None:
        cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=image)
    return image
