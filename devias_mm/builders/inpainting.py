"""Backgrounds without the people in front of them, from the video itself."""
from typing import Optional

import cv2
import numpy as np

from devias_mm.builders.media import FOREGROUND

_UNSEEN = np.iinfo(np.int16).max  # sorts behind every colour


def _visible_median(values: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Median over time of what is visible.

    Args:
        values (np.ndarray): uint8 ``(T, P, 3)``.
        visible (np.ndarray): bool ``(T, P)``.

    Returns:
        np.ndarray: uint8 ``(P, 3)``: of an even number of values the lower middle one, so that
        the result is a colour channel that was there; undefined where nothing is visible.
    """
    ordered = np.sort(np.where(visible[..., None], values, np.int16(_UNSEEN)), axis=0)
    middle = np.maximum(visible.sum(0) - 1, 0) // 2
    return np.take_along_axis(ordered, middle[None, :, None], axis=0)[0].astype(np.uint8)


def remove_foreground(frames: np.ndarray, masks: np.ndarray, dilation: Optional[int] = None,
                      window: Optional[int] = None, radius: int = 3) -> np.ndarray:
    """Fill the masked pixels of each frame with the background.

    A hidden pixel takes the temporal median of the frames in which it is visible; what is never
    visible is then inpainted from its surroundings (OpenCV, Telea).

    Args:
        frames (np.ndarray): RGB uint8 ``(T, H, W, 3)``.
        masks (np.ndarray): uint8 ``(T, H, W)``; above 128 is foreground.
        dilation (int, optional): pixels by which the masks grow before, because their outline
            mixes the colours of both sides. ``None``: a hundredth of the frame's short side, at
            least 1.
        window (int, optional): look at so many frames before and after first, and twice as far
            each time that nothing is found; for backgrounds that move. ``None``: the whole
            video at once.
        radius (int): of the inpainting, in pixels.

    Returns:
        np.ndarray: RGB uint8 ``(T, H, W, 3)``; the same as ``frames`` outside the grown masks.

    Raises:
        ValueError: a parameter is out of range.
    """
    if dilation is None:
        dilation = max(1, round(min(frames.shape[1:3]) / 100))
    for name, value, low in (('dilation', dilation, 0), ('window', window, 1),
                             ('radius', radius, 1)):
        if value is not None and value < low:
            raise ValueError(f'{name} {value}: accepted is an integer >= {low}.')
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * dilation + 1, ) * 2)
    hidden = np.stack([cv2.dilate((mask > FOREGROUND).astype(np.uint8), kernel)
                       for mask in masks]).astype(bool)
    length = len(frames)
    seen_at_all = ~hidden.all(0)
    filled = frames.copy()
    if window is None:
        place = np.nonzero(hidden.any(0) & seen_at_all)
        background = frames[0].copy()
        background[place] = _visible_median(frames[:, place[0], place[1]],
                                            ~hidden[:, place[0], place[1]])
        np.copyto(filled, background, where=hidden[..., None])
    else:
        for t in range(length):
            rows, columns = np.nonzero(hidden[t] & seen_at_all)
            reach = window
            while len(rows):
                span = slice(max(0, t - reach), t + reach + 1)
                visible = ~hidden[span, rows, columns]
                found = visible.any(0)
                filled[t, rows[found], columns[found]] = _visible_median(
                    frames[span, rows[found], columns[found]], visible[:, found])
                rows, columns, reach = rows[~found], columns[~found], 2 * reach
    never_seen = (~seen_at_all).astype(np.uint8)
    if never_seen.all():
        raise ValueError('the masks cover every pixel of every frame: there is no background.')
    if never_seen.any():
        if window is None:  # one picture, so that the patch does not flicker
            patch = cv2.inpaint(background, never_seen, radius, cv2.INPAINT_TELEA)
            filled[:, never_seen > 0] = patch[never_seen > 0]
        else:
            filled = np.stack([cv2.inpaint(frame, never_seen, radius, cv2.INPAINT_TELEA)
                               for frame in filled])
    return filled


def human_only(frames: np.ndarray, masks: np.ndarray, colour) -> np.ndarray:
    """Keep the foreground and paint the rest in one colour (HAT, section 3.2).

    Args:
        frames (np.ndarray): RGB uint8 ``(T, H, W, 3)``.
        masks (np.ndarray): uint8 ``(T, H, W)``; above 128 is kept.
        colour (sequence): RGB in 0..255.
    """
    return np.where((masks > FOREGROUND)[..., None], frames, np.asarray(colour, np.uint8))
