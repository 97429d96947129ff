"""Backgrounds without the people in front of them, from the video itself."""
from typing import Optional, Sequence

import cv2
import numpy as np

from devias_mm.builders.media import FOREGROUND
from devias_mm.errors import UsageError, UserError

_UNSEEN = np.iinfo(np.int16).max  # sorts after every colour
_RADIUS = 3  # of OpenCV's inpainting, in pixels


def _visible_median(values: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Return the median over time of what is visible.

    Args:
        values: uint8 ``(T, P, 3)``.
        visible: bool ``(T, P)``.

    Returns:
        np.ndarray: uint8 ``(P, 3)``: of an even number of values the lower middle one, so that
        the result is a colour channel that was there; undefined where nothing is visible.
    """
    marked = np.where(visible[..., None], values, np.int16(_UNSEEN))
    ordered = np.sort(marked, axis=0)
    middle = np.maximum(visible.sum(0) - 1, 0) // 2
    return np.take_along_axis(ordered, middle[None, :, None], axis=0)[0].astype(np.uint8)


def remove_foreground(frames: np.ndarray, masks: np.ndarray, dilation: Optional[int] = None,
                      window: Optional[int] = None) -> np.ndarray:
    """Fill the masked pixels of each frame with the background.

    A hidden pixel takes the temporal median of the frames in which it is visible; what is never
    visible is then inpainted from its surroundings (OpenCV, Telea).

    Args:
        frames: RGB uint8 ``(T, H, W, 3)``.
        masks: uint8 ``(T, H, W)``; above 128 is foreground.
        dilation: pixels by which the masks grow before, because their outline
            mixes the colours of both sides. ``None``: a hundredth of the frame's short side, at
            least 1.
        window: look at so many frames before and after first, and twice as far
            each time that nothing is found; for backgrounds that move. ``None``: the whole
            video at once.

    Returns:
        np.ndarray: RGB uint8 ``(T, H, W, 3)``; the same as ``frames`` outside the grown masks.

    Raises:
        UserError: a parameter is out of range, or there is no background.
    """
    if dilation is None:
        dilation = max(1, round(min(frames.shape[1:3]) / 100))
    for name, value, low in (('dilation', dilation, 0), ('window', window, 1)):
        if value is not None and value < low:
            raise UsageError(f'{name} {value}: accepted is an integer >= {low}.')
    hidden = _grow(masks > FOREGROUND, dilation)
    never_seen = hidden.all(0)
    if never_seen.all():
        raise UserError('the masks cover every pixel of every frame: there is no background.')
    if window is None:
        return _fill_from_all_frames(frames, hidden, never_seen)
    return _fill_from_window(frames, hidden, never_seen, window)


def _grow(masks: np.ndarray, pixels: int) -> np.ndarray:
    """Dilate bool masks ``(T, H, W)`` by a disc."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1, 2 * pixels + 1))
    grown = [cv2.dilate(mask.astype(np.uint8), kernel) for mask in masks]
    return np.stack(grown).astype(bool)


def _inpaint(frame: np.ndarray, where: np.ndarray) -> np.ndarray:
    return cv2.inpaint(frame, where.astype(np.uint8), _RADIUS, cv2.INPAINT_TELEA)


def _fill_from_all_frames(frames: np.ndarray, hidden: np.ndarray,
                          never_seen: np.ndarray) -> np.ndarray:
    """Make one background for the whole video, so that what was guessed does not flicker."""
    background = frames[0].copy()
    rows, columns = np.nonzero(hidden.any(0) & ~never_seen)
    background[rows, columns] = _visible_median(frames[:, rows, columns],
                                                ~hidden[:, rows, columns])
    if never_seen.any():
        background[never_seen] = _inpaint(background, never_seen)[never_seen]
    return np.where(hidden[..., None], background, frames)


def _fill_from_window(frames: np.ndarray, hidden: np.ndarray, never_seen: np.ndarray,
                      window: int) -> np.ndarray:
    """Make a background for each frame, from the frames around it."""
    filled = frames.copy()
    for t in range(len(frames)):
        rows, columns = np.nonzero(hidden[t] & ~never_seen)
        reach = window
        while len(rows):
            span = slice(max(0, t - reach), t + reach + 1)
            visible = ~hidden[span, rows, columns]
            found = visible.any(0)
            filled[t, rows[found], columns[found]] = _visible_median(
                frames[span, rows[found], columns[found]], visible[:, found])
            rows, columns = rows[~found], columns[~found]
            reach *= 2
    if never_seen.any():
        filled = np.stack([_inpaint(frame, never_seen) for frame in filled])
    return filled


def human_only(frames: np.ndarray, masks: np.ndarray,
               colour: Sequence[int]) -> np.ndarray:
    """Keep the foreground and paint the rest in one colour (HAT, section 3.2).

    Args:
        frames: RGB uint8 ``(T, H, W, 3)``.
        masks: uint8 ``(T, H, W)``; above 128 is kept.
        colour: RGB in 0..255.
    """
    return np.where((masks > FOREGROUND)[..., None], frames, np.asarray(colour, np.uint8))
