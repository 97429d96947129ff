"""Videos, frame folders and mask files, as the tools read and write them."""
import hashlib
import os
import re
import shutil
from pathlib import Path
from typing import List, NamedTuple, Optional, Sequence, Union

import cv2
import numpy as np

from devias_mm.builders.puppets.files import TEMPORARY_PREFIX, read_masks, read_video
from devias_mm.datasets.lists import read_list
from devias_mm.files import file_sha256

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp')
#: 4:4:4, so that the colour of a figure does not bleed over its outline
_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 95,
         cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
FOREGROUND = 128  #: a mask pixel above it is foreground, in the published sets and here


class Video(NamedTuple):
    """A line of a list file.

    Attributes:
        name (str): the file as listed, without its suffix; identity within the list.
        path (str): video file, or folder of frames.
        label (int): action class.
    """
    name: str
    path: str
    label: int


def list_videos(list_file: str, data_root: str, columns: Sequence[str],
                suffix: str = '', missing_ok: bool = False) -> List[Video]:
    """Read a list file; every video must exist, unless ``missing_ok``.

    Args:
        list_file (str): see ``devias_mm/datasets/lists.py``.
        data_root (str): folder that the listed names are relative to.
        columns (Sequence[str]): of the list, ``'filename'`` and ``'label'`` among them.
        suffix (str): what to add to a listed name (``.mp4`` for HVU).
        missing_ok (bool): whether videos may be missing: reading them is an error then.

    Raises:
        ListFileError: the list cannot be used.
        FileNotFoundError: videos are missing; the first ones are named.
    """
    videos = [Video(item['video_id'], os.path.join(data_root, item['filename']), item['label'])
              for item in read_list(list_file, columns, filename_suffix=suffix,
                                    allow_no_action=True)]
    missing = [video.path for video in videos if not os.path.exists(video.path)]
    if len(missing) == len(videos) or missing and not missing_ok:
        raise FileNotFoundError(
            f'{len(missing)} of the {len(videos)} videos of {list_file} are missing, such as '
            f'{", ".join(missing[:3])}. Mend --data-root, take them off the list, or leave them '
            'out with --on-error skip.')
    return videos


def read_image(path: Union[str, Path]) -> np.ndarray:
    """Read an image as RGB uint8 ``(H, W, 3)``."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise OSError(f'{path} is no image that OpenCV can read: replace or remove it.')
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def image_files(folder: Union[str, Path]) -> List[Path]:
    """The images of a folder, by name, ``9.jpg`` before ``10.jpg``; hidden files are none."""
    files = [file for file in Path(folder).iterdir()
             if file.suffix.lower() in IMAGE_SUFFIXES and not file.name.startswith('.')]
    return sorted(files, key=lambda file: (  # every second part is a number
        [int(part) if index % 2 else part
         for index, part in enumerate(re.split('([0-9]+)', file.name))], file.name))


def read_frames(path: Union[str, Path], short_side: Optional[int] = None) -> np.ndarray:
    """Read a video file or a folder of frames.

    Args:
        path (str or Path): what to read.
        short_side (int, optional): shrinks larger frames to this short side.

    Returns:
        np.ndarray: RGB uint8 ``(T, H, W, 3)``.

    Raises:
        OSError: there is no frame that can be read, or the frames differ in size.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f'{path} is missing.')
    if path.is_dir():
        frames = [read_image(file) for file in image_files(path)]
        sizes = sorted({frame.shape[:2] for frame in frames})
        if len(sizes) != 1:
            raise OSError(f'{path} holds no image.' if not sizes else
                          f'{path} holds frames of different sizes: {sizes}.')
        frames = np.stack(frames)
    else:
        try:
            frames = read_video(path)
        except OSError:
            raise OSError(f'{path} holds no frame that OpenCV can read: re-encode the video, or '
                          'take it off the list.') from None
    height, width = frames.shape[1:3]
    if short_side and min(height, width) > short_side:
        scale = short_side / min(height, width)
        size = (round(width * scale), round(height * scale))
        frames = np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
                           for frame in frames])
    return frames


def mask_path(root: Union[str, Path], name: str) -> Path:
    """Where the masks of a video are: ``<root>/<name>.npz`` if there, else ``<root>/<name>/``."""
    archive = Path(root, f'{name}.npz')
    return archive if archive.is_file() else Path(root, name)


def read_mask_values(root: Union[str, Path], name: str, frames: np.ndarray) -> np.ndarray:
    """Read the masks of a video: a folder of grey PNGs, or a Puppets mask file.

    Args:
        root (str or Path): ``<root>/<name>/*.png`` or ``<root>/<name>.npz`` is read.
        name (str): of the video.
        frames (np.ndarray): its frames ``(T, H, W, 3)``, for the size.

    Returns:
        np.ndarray: uint8 ``(T, H, W)``, as stored (0..255; true masks of Puppets 0 or 255);
        masks of another size are scaled without making new values.

    Raises:
        FileNotFoundError: there are no masks.
        ValueError: not one mask per frame.
    """
    folder = mask_path(root, name)
    if folder.is_file():
        masks = 255 * read_masks(folder)
    elif folder.is_dir():
        masks = [cv2.imread(str(file), cv2.IMREAD_GRAYSCALE) for file in image_files(folder)]
        if any(mask is None for mask in masks):
            raise OSError(f'{folder} holds a mask that OpenCV cannot read: make it again.')
    else:
        raise FileNotFoundError(f'no masks of {name}: neither {folder}/ nor {folder}.npz is '
                                'there. tools/data/make_masks.py makes them.')
    if len(masks) != len(frames):
        raise ValueError(f'{name}: {len(masks)} masks under {root} for {len(frames)} frames. '
                         'Masks must come from the same video, one per frame.')
    height, width = frames.shape[1:3]
    return np.stack([mask if mask.shape == (height, width) else
                     cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST)
                     for mask in masks])


def file_state(path: Union[str, Path]) -> list:
    """What tells that a file, or a folder's files, changed: names, sizes and times of change.

    Cheaper than the contents, of which a data set has hundreds of gigabytes. Copies keep the
    times with ``cp -p`` or ``rsync -t``; others are made again, to the same bytes.

    Returns:
        list: for JSON; empty where there is nothing.
    """
    path = Path(path)
    if path.is_dir():
        with os.scandir(path) as entries:
            states = sorted((entry.name, entry.stat().st_size, entry.stat().st_mtime_ns)
                            for entry in entries)
        return ['folder', len(states), hashlib.sha256(repr(states).encode()).hexdigest()]
    return [path.stat().st_size, path.stat().st_mtime_ns] if path.is_file() else []


def video_sources(videos: Sequence[Video], masks: Sequence[Optional[str]] = (),
                  folders: Sequence[Optional[str]] = ()) -> List[list]:
    """What each video is made from, for ``Build.run``: another is made again.

    Args:
        videos (Sequence[Video]): their files and labels count.
        masks (Sequence[str]): folders that ``read_mask_values`` reads.
        folders (Sequence[str]): of which ``<name>/`` counts.
    """
    return [[video.label, file_state(video.path),
             *(file_state(mask_path(root, video.name)) for root in masks if root),
             *(file_state(Path(root, video.name)) for root in folders if root)]
            for video in videos]


def encode(image: np.ndarray, suffix: str) -> bytes:
    """RGB or grey uint8 image as the bytes of a ``.jpg`` or ``.png`` file."""
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    ok, data = cv2.imencode(suffix, image, _JPEG if suffix == '.jpg' else [])
    if not ok:
        raise OSError(f'OpenCV cannot write {suffix} files here: install `opencv-python`.')
    return data.tobytes()


def _digest(files: Sequence[str]) -> str:
    return hashlib.sha256('\n'.join(sorted(files)).encode()).hexdigest()


def output_digest(path: Union[str, Path]) -> Optional[str]:
    """SHA-256 of a file, or of the ``sha256sum`` lines of a folder; ``None`` if not there."""
    path = Path(path)
    if path.is_dir():
        return _digest([f'{file_sha256(file)}  {file.name}' for file in path.iterdir()])
    return file_sha256(path) if path.is_file() else None


def write_frames(folder: Union[str, Path], frames: np.ndarray, template: str = '{:06d}.jpg',
                 first: int = 1) -> str:
    """Write frames or masks as a folder of images that appears when it is complete.

    Args:
        folder (str or Path): what is there is replaced.
        frames (np.ndarray): uint8 ``(T, H, W, 3)`` RGB or ``(T, H, W)``.
        template (str): file names, such as ``'{:06d}.png'``; ``.jpg`` or ``.png``.
        first (int): number of the first frame.

    Returns:
        str: the folder's digest, see :func:`output_digest`.
    """
    folder = Path(folder)
    temporary = folder.with_name(f'{TEMPORARY_PREFIX}{os.getpid()}-{folder.name}')
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    lines, suffix = [], Path(template).suffix
    for number, frame in enumerate(frames, start=first):
        data = encode(frame, suffix)
        (temporary / (template.format(number))).write_bytes(data)
        lines.append(f'{hashlib.sha256(data).hexdigest()}  {template.format(number)}')
    if folder.is_dir():
        shutil.rmtree(folder)
    os.replace(temporary, folder)
    return _digest(lines)
