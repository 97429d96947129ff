"""Reading and writing the files of a clip; every write is atomic."""
import hashlib
import io
import os
from pathlib import Path
from typing import Union

import cv2
import numpy as np

from devias_mm.files import file_sha256

TEMPORARY_PREFIX = '.partial-'


def _temporary(path: Path) -> Path:
    # the suffix stays the last one: OpenCV chooses the container by it
    return path.with_name(f'{TEMPORARY_PREFIX}{os.getpid()}-{path.name}')


def write_bytes(path: Union[str, Path], content: bytes) -> str:
    """Write a file atomically and return its SHA-256 in hexadecimal."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    temporary.write_bytes(content)
    os.replace(temporary, path)
    return hashlib.sha256(content).hexdigest()


def write_video(path: Union[str, Path], frames: np.ndarray, fps: int) -> str:
    """Write RGB uint8 ``(T, H, W, 3)`` as an MPEG-4 file and return its SHA-256."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    height, width = frames.shape[1:3]
    writer = cv2.VideoWriter(
        str(temporary), cv2.VideoWriter_fourcc(*'mp4v'), fps, (width, height))
    if not writer.isOpened():
        raise RuntimeError(
            f'cannot write {path}: this OpenCV ({cv2.__version__}) has no mp4v encoder. Install '
            'the `opencv-python` or `opencv-python-headless` wheel.')
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()
    checksum = file_sha256(temporary)
    os.replace(temporary, path)
    return checksum


def read_video(path: Union[str, Path]) -> np.ndarray:
    """Read a video file with OpenCV: RGB uint8 ``(T, H, W, 3)``."""
    capture = cv2.VideoCapture(str(path))
    frames = []
    while True:
        ok, frame = capture.read()
        if not ok:
            break
        frames.append(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
    capture.release()
    if not frames:
        raise OSError(f'{path} holds no frame that OpenCV can read: render the data set again.')
    return np.stack(frames)


def write_masks(path: Union[str, Path], masks: np.ndarray) -> str:
    """Write bool ``(T, H, W)`` as the array ``masks`` of a compressed ``.npz``; return SHA-256."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, masks=masks)
    return write_bytes(path, buffer.getvalue())


def read_masks(path: Union[str, Path]) -> np.ndarray:
    """Read the foreground masks of a clip.

    Args:
        path (str or Path): a ``masks/<split>/<id>.npz``.

    Returns:
        np.ndarray: uint8 ``(T, H, W)``, 1 where the figure is, 0 elsewhere.
    """
    with np.load(path, allow_pickle=False) as archive:
        return archive['masks'].astype(np.uint8)
