"""Videos, frame folders and mask files, as the builders read and write them."""
import hashlib
import io
import os
import re
import zipfile
import zlib
from pathlib import Path
from typing import List, Optional, Sequence, Tuple, Union

import cv2
import numpy as np

from devias_mm.errors import MissingFileError, UserError
from devias_mm.files import atomic_folder, atomic_path, file_sha256, write_bytes
from devias_mm.pictures import encode_image, read_image

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp')
FOREGROUND = 128  #: a mask pixel above it is foreground, in the published sets and here


def image_files(folder: Union[str, Path]) -> List[Path]:
    """Return the images of a folder by name, ``9.jpg`` before ``10.jpg``, without hidden files."""
    files = []
    for file in Path(folder).iterdir():
        if file.suffix.lower() in IMAGE_SUFFIXES and not file.name.startswith('.'):
            files.append(file)
    return sorted(files, key=_natural_order)


def _natural_order(file: Path) -> Tuple[list, str]:
    """Return a key that sorts numbers in names by their value."""
    parts: list = re.split('([0-9]+)', file.name)
    parts[1::2] = map(int, parts[1::2])  # every second part is a number
    return parts, file.name


def read_video(path: Union[str, Path]) -> np.ndarray:
    """Read a video file with OpenCV, RGB uint8 ``(T, H, W, 3)``.

    Raises:
        UserError: no frame can be read.
    """
    capture = cv2.VideoCapture(str(path))
    frames = []
    while True:
        ok, frame = capture.read()
        if not ok:
            break
        frames.append(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
    capture.release()
    if not frames:
        raise UserError(f'{path} holds no frame that OpenCV can read: re-encode the video, or take '
                        'it off the list.')
    return _stack(frames, path)


def _stack(frames: Sequence[np.ndarray], path: Union[str, Path]) -> np.ndarray:
    sizes = sorted({frame.shape[:2] for frame in frames})
    if len(sizes) > 1:
        raise UserError(f'{path} holds frames of different sizes (h, w): {sizes}.')
    return np.stack(frames)


def read_frames(path: Union[str, Path], short_side: Optional[int] = None) -> np.ndarray:
    """Read a video file or a folder of frames.

    Args:
        path: what to read.
        short_side: shrinks larger frames to this short side.

    Returns:
        np.ndarray: RGB uint8 ``(T, H, W, 3)``.

    Raises:
        UserError: there is no frame that can be read, or the frames differ in size.
    """
    path = Path(path)
    if path.is_dir():
        files = image_files(path)
        if not files:
            raise UserError(f'{path} holds no image.')
        frames = _stack([read_image(file) for file in files], path)
    elif os.path.exists(path):
        frames = read_video(path)
    else:
        raise MissingFileError(f'{path} is missing.')
    height, width = frames.shape[1:3]
    if short_side is None or min(height, width) <= short_side:
        return frames
    scale = short_side / min(height, width)
    size = (round(width * scale), round(height * scale))
    return np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames])


def mask_path(root: Union[str, Path], name: str) -> Path:
    """Return where masks are: ``<root>/<name>.npz`` if there is one, else ``<root>/<name>/``."""
    archive = Path(root, f'{name}.npz')
    if os.path.isfile(archive):
        return archive
    return Path(root, name)


def read_masks(path: Union[str, Path]) -> np.ndarray:
    """Read the foreground masks of a Puppets clip.

    Args:
        path: a ``masks/<split>/<id>.npz``.

    Returns:
        np.ndarray: uint8 ``(T, H, W)``, 1 where the figure is, 0 elsewhere.

    Raises:
        UserError: the file holds no masks that can be read.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            masks = archive['masks']
    except (OSError, ValueError, KeyError, EOFError, TypeError, AttributeError,
            NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f'{path} holds no array `masks` that can be read ({error}): make it '
                        'again.') from error
    if masks.ndim != 3 or masks.dtype not in (np.bool_, np.uint8):
        raise UserError(f'{path}: masks must be bool or uint8, (frames, height, width), not '
                        f'{masks.dtype} {masks.shape}.')
    return masks.astype(np.uint8)


def read_mask_values(root: Union[str, Path], name: str, frames: np.ndarray) -> np.ndarray:
    """Read the masks of a video: a folder of grey PNGs, or a Puppets mask file.

    Args:
        root: ``<root>/<name>/*.png`` or ``<root>/<name>.npz`` is read.
        name: of the video.
        frames: its frames ``(T, H, W, 3)``, for the size.

    Returns:
        np.ndarray: uint8 ``(T, H, W)``, as stored (0..255; true masks of Puppets 0 or 255);
        masks of another size are scaled without making new values.

    Raises:
        UserError: there are no masks, not one per frame, or one cannot be read.
    """
    place = mask_path(root, name)
    if place.is_file():
        masks = 255 * read_masks(place)
    elif place.is_dir():
        masks = [read_image(file, grey=True) for file in image_files(place)]
    else:
        raise MissingFileError(f'no masks of {name}: neither {place}/ nor {place}.npz is there. '
                               'tools/data/make_masks.py makes them.')
    if len(masks) != len(frames):
        raise UserError(f'{name}: {len(masks)} masks under {root} for {len(frames)} frames. '
                        'Masks must come from the same video, one per frame.')
    size = frames.shape[2], frames.shape[1]
    return np.stack([_fit_mask(mask, size) for mask in masks])


def _fit_mask(mask: np.ndarray, size: Tuple[int, int]) -> np.ndarray:
    """Scale a mask to a width and height."""
    if (mask.shape[1], mask.shape[0]) == size:
        return mask
    return cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST)


def file_state(path: Union[str, Path]) -> list:
    """Return what tells that a file, or a folder's files, changed: names, sizes, times of change.

    Cheaper than the contents, of which a data set has hundreds of gigabytes. Copies keep the
    times with ``cp -p`` or ``rsync -t``; others are made again, to the same bytes.

    Returns:
        list: for JSON; empty where there is nothing.
    """
    if os.path.isdir(path):
        with os.scandir(path) as entries:
            states = sorted((entry.name, *_size_and_time(entry)) for entry in entries)
        return ['folder', len(states), hashlib.sha256(repr(states).encode()).hexdigest()]
    if os.path.isfile(path):
        return list(_size_and_time(Path(path)))
    return []


def _size_and_time(entry: Union[Path, os.DirEntry]) -> Tuple[int, int]:
    try:
        state = entry.stat()
    except OSError:  # a link that leads nowhere
        return -1, -1
    return state.st_size, state.st_mtime_ns


def output_digest(path: Path) -> Optional[str]:
    """Return the SHA-256 of a file, or of the ``sha256sum`` lines of a folder; ``None`` if missing.
    """
    if path.is_dir():
        return _folder_digest([f'{file_sha256(file)}  {file.name}' for file in path.iterdir()
                               if file.is_file()])
    return file_sha256(path) if path.is_file() else None


def _folder_digest(lines: Sequence[str]) -> str:
    return hashlib.sha256('\n'.join(sorted(lines)).encode()).hexdigest()


def write_frames(folder: Path, frames: np.ndarray, template: str = '{:06d}.jpg',
                 first: int = 1) -> str:
    """Write frames or masks as a folder of images that appears when it is complete.

    Args:
        folder: what is there is replaced.
        frames: uint8 ``(T, H, W, 3)`` RGB or ``(T, H, W)``.
        template: file names, such as ``'{:06d}.png'``; ``.jpg`` or ``.png``.
        first: number of the first frame.

    Returns:
        str: the folder's digest, see :func:`output_digest`.
    """
    suffix = Path(template).suffix
    lines = []
    with atomic_folder(folder) as temporary:
        for number, frame in enumerate(frames, start=first):
            name = template.format(number)
            data = encode_image(frame, suffix)
            (temporary / name).write_bytes(data)
            lines.append(f'{hashlib.sha256(data).hexdigest()}  {name}')
    return _folder_digest(lines)


def write_video(path: Path, frames: np.ndarray, fps: int) -> str:
    """Write RGB uint8 ``(T, H, W, 3)`` as an MPEG-4 file and return its SHA-256.

    Raises:
        UserError: this OpenCV has no encoder.
    """
    height, width = frames.shape[1:3]
    codec = cv2.VideoWriter_fourcc(*'mp4v')
    with atomic_path(path) as temporary:
        writer = cv2.VideoWriter(str(temporary), codec, fps, (width, height))
        if not writer.isOpened():
            raise UserError(f'cannot write {path}: this OpenCV ({cv2.__version__}) has no mp4v '
                            'encoder. Install the `opencv-python` or `opencv-python-headless` '
                            'wheel.')
        for frame in frames:
            writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        writer.release()
        return file_sha256(temporary)


def write_masks(path: Path, masks: np.ndarray) -> str:
    """Write bool ``(T, H, W)`` as the array ``masks`` of a compressed ``.npz``; return SHA-256."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, masks=masks)
    return write_bytes(path, buffer.getvalue())
