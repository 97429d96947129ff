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
    count = visible.sum(0)
    middle = np.maximum(count - 1, 0) // 2
    medians = np.take_along_axis(ordered, middle[None, :, None], axis=0)
    return medians[0].astype(np.uint8)


def remove_foreground(frames: np.ndarray,
                      masks: np.ndarray,
                      dilation: Optional[int] = None,
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
        short_side = min(frames.shape[1:3])
        dilation = max(1, round(short_side / 100))
    if dilation < 0:
        raise UsageError(f'dilation {dilation}: accepted is an integer >= 0.')
    if window is not None and window < 1:
        raise UsageError(f'window {window}: accepted is an integer >= 1.')
    hidden = _grow(masks > FOREGROUND, dilation)
    never_seen = hidden.all(0)
    if never_seen.all():
        raise UserError('the masks cover every pixel of every frame: there is no background.')
    if window is None:
        return _fill_from_all_frames(frames, hidden, never_seen)
    return _fill_from_window(frames, hidden, never_seen, window)


def _grow(masks: np.ndarray, pixels: int) -> np.ndarray:
    """Dilate bool masks ``(T, H, W)`` by a disc."""
    width = 2 * pixels + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    grown = [cv2.dilate(mask.astype(np.uint8), disc) for mask in masks]
    return np.stack(grown).astype(bool)


def _inpaint(frame: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Guess the pixels of a frame where a bool mask ``(H, W)`` is true."""
    holes = where.astype(np.uint8)
    return cv2.inpaint(frame, holes, _RADIUS, cv2.INPAINT_TELEA)


def _fill_from_all_frames(frames: np.ndarray, hidden: np.ndarray,
                          never_seen: np.ndarray) -> np.ndarray:
    """Make one background for the whole video, so that what was guessed does not flicker."""
    background = frames[0].copy()
    sometimes_hidden = hidden.any(0) & ~never_seen
    rows, columns = np.nonzero(sometimes_hidden)
    values = frames[:, rows, columns]
    visible = ~hidden[:, rows, columns]
    background[rows, columns] = _visible_median(values, visible)
    if never_seen.any():
        guessed = _inpaint(background, never_seen)
        background[never_seen] = guessed[never_seen]
    return np.where(hidden[..., None], background, frames)


def _fill_from_window(frames: np.ndarray,
                      hidden: np.ndarray,
                      never_seen: np.ndarray,
                      window: int) -> np.ndarray:
    """Make a background for each frame, from the frames around it."""
    filled = frames.copy()
    for t in range(len(frames)):
        rows, columns = np.nonzero(hidden[t] & ~never_seen)
        reach = window
        while len(rows):
            start = max(0, t - reach)
            span = slice(start, t + reach + 1)
            visible = ~hidden[span, rows, columns]
            found = visible.any(0)
            found_rows = rows[found]
            found_columns = columns[found]
            values = frames[span, found_rows, found_columns]
            filled[t, found_rows, found_columns] = _visible_median(values, visible[:, found])
            # the others are looked for in more frames
            rows = rows[~found]
            columns = columns[~found]
            reach *= 2
    if never_seen.any():
        filled = np.stack([_inpaint(frame, never_seen) for frame in filled])
    return filled


def human_only(frames: np.ndarray, masks: np.ndarray, colour: Sequence[int]) -> np.ndarray:
    """Keep the foreground and paint the rest in one colour (HAT, section 3.2).

    Args:
        frames: RGB uint8 ``(T, H, W, 3)``.
        masks: uint8 ``(T, H, W)``; above 128 is kept.
        colour: RGB in 0..255.
    """
    foreground = masks > FOREGROUND
    paint = np.asarray(colour, np.uint8)
    return np.where(foreground[..., None], frames, paint)
