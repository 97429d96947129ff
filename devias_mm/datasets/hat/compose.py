"""The pixels of HAT: action-swap composites and human-only frames.

Two published rules make a composite. Both cut the person out where the mask exceeds 128
and paste it onto a frame of the inpainted background, scaled so that the short sides
agree and shifted so that the two persons' centres of mass coincide. They differ in which
background frame goes with which frame, and in how the background is scaled.
"""
from typing import Tuple

import cv2
import numpy as np
from PIL import Image

RULES = ('hat', 'devias')
THRESHOLD = 128  # a mask pixel above is a person
DATASET_MEAN = (123.675, 116.28, 103.53)  # RGB


def background_indices(indices: np.ndarray, frames: int, background_frames: int,
                       rule: str) -> np.ndarray:
    """Return the index of the background frame of each frame, from 0.

    Args:
        indices (np.ndarray): indices of the person's frames, from 0, ``(N,)``.
        frames (int): length T of the person's video.
        background_frames (int): listed length L of the background video.
        rule (str): ``'hat'``: ``clip(round(f / T * L), 0, L - 1)``, half to even; or
            ``'devias'``: entry f of T numbers from 1 up to, but without, L, equally
            spaced and truncated: never 0.

    Returns:
        np.ndarray: int64 ``(N,)``.
    """
    if rule == 'hat':
        places = indices / frames * background_frames
        chosen = np.round(places).astype(np.int64)
        return np.clip(chosen, 0, background_frames - 1)
    spaced = np.linspace(1, background_frames, frames, endpoint=False)
    return spaced.astype(np.int64)[indices]


def scaled_size(size: Tuple[int, int], short: int, rule: str) -> Tuple[int, int]:
    """Return height and width of an image that is scaled to a short side.

    Args:
        size (tuple[int, int]): its height and width.
        short (int): the short side wanted.
        rule (str): how the sides are rounded, ``'hat'`` or ``'devias'``.
    """
    height, width = size
    shorter = min(size)
    if shorter == short:
        return height, width
    if rule == 'hat':
        scale = short / shorter
        return int(height * scale + 0.5), int(width * scale + 0.5)
    long = int(short * max(size) / shorter)
    if height <= width:
        return short, long
    return long, short


def scale_to(image: np.ndarray, short: int, rule: str) -> np.ndarray:
    """Scale an image to a short side, uint8 ``(H, W[, 3])``.

    Bilinear, by OpenCV without antialiasing (``'hat'``) or by Pillow with it (``'devias'``).
    """
    height, width = scaled_size(image.shape[:2], short, rule)
    if (height, width) == image.shape[:2]:
        return image
    if rule == 'hat':
        return cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    picture = Image.fromarray(image)
    picture = picture.resize((width, height), Image.Resampling.BILINEAR)
    return np.array(picture)


def centre_of_mass(mask: np.ndarray) -> Tuple[float, float]:
    """Return row and column of the centre of the soft values of a mask, uint8 ``(H, W)``.

    It is the middle ``(H / 2, W / 2)`` for a mask that is 0 everywhere.
    """
    moments = cv2.moments(mask)  # exact: sums of integers
    mass = moments['m00']
    if mass == 0:
        height, width = mask.shape
        return height / 2, width / 2
    return moments['m01'] / mass, moments['m10'] / mass


def shift_of(mask: np.ndarray, background_mask: np.ndarray) -> Tuple[int, int]:
    """Return rows and columns by which the person moves onto the background, truncated.

    Args:
        mask (np.ndarray): of the person's first frame, uint8 ``(H, W)``.
        background_mask (np.ndarray): of the background's first frame, already scaled.
    """
    row, column = centre_of_mass(mask)
    to_row, to_column = centre_of_mass(background_mask)
    return int(to_row - row), int(to_column - column)


def paste(background: np.ndarray, frame: np.ndarray, mask: np.ndarray,
          shift: Tuple[int, int]) -> np.ndarray:
    """Paste a person into a background, in place; what falls outside is lost.

    The mask is used up: where the person is pasted, it becomes 0 or 255.

    Args:
        background (np.ndarray): uint8 ``(H', W', 3)``; changed.
        frame (np.ndarray): uint8 ``(H, W, 3)``.
        mask (np.ndarray): uint8 ``(H, W)``; pixels above 128 are pasted; changed.
        shift (tuple[int, int]): rows and columns from frame to background.
    """
    height, width = background.shape[:2]
    down, right = shift
    # the rows and columns of the frame that fall on the background
    top = max(0, -down)
    bottom = min(frame.shape[0], height - down)
    left = max(0, -right)
    end = min(frame.shape[1], width - right)
    if top >= bottom or left >= end:
        return background
    person = mask[top:bottom, left:end]
    cv2.threshold(person, THRESHOLD, 255, cv2.THRESH_BINARY, dst=person)
    place = background[top + down:bottom + down, left + right:end + right]
    cv2.copyTo(frame[top:bottom, left:end], person, place)
    return background


def fill_background(frame: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Put the dataset's mean colour where there is no person (HAT, section 3.2).

    Args:
        frame: uint8 RGB ``(H, W, 3)``.
        mask: uint8 ``(H, W)``; pixels of at most 128 become the mean truncated, (123, 116, 103).

    Returns:
        np.ndarray: uint8 ``(H, W, 3)``.
    """
    mean = np.array(DATASET_MEAN).astype(np.uint8)
    person = mask > THRESHOLD
    return np.where(person[..., None], frame, mean)
