"""Cached detections of humans, and masks made of them (Choi et al. 2019, section 3.3).

The format is described in docs/human_boxes.md; ``tools/data/detect_humans.py`` writes it.
"""
import os
from functools import lru_cache
from pathlib import Path
from typing import Callable, Dict, List, Sequence, Tuple, Union

import numpy as np
import pandas as pd
from mmaction.registry import TRANSFORMS

from devias_mm.datasets.transforms.load_masks import LoadMasks
from devias_mm.errors import ListFileError
from devias_mm.files import atomic_path

COLUMNS = dict(video_id='str', frame='int32', x1='float32', y1='float32', x2='float32',
               y2='float32', score='float32')
BOX = ['x1', 'y1', 'x2', 'y2']


def write_boxes(path: Path, rows: List[dict]) -> None:
    """Write detections of some videos, atomically.

    Args:
        path (Path): a Parquet file.
        rows (list[dict]): with the keys of ``COLUMNS``. A frame that was looked at
            and shows nobody has one row whose box and score are NaN.
    """
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    with atomic_path(path) as temporary:
        table.to_parquet(temporary, index=False)


class HumanBoxes:
    """Detections of a data set, looked up by video and frame.

    Args:
        path (str): a Parquet file, or a folder of such files.
        min_score (float): boxes with a lower score are left out.
            Defaults to 0.

    Raises:
        ListFileError: the file is missing, unreadable, lacks columns, or has a box
            that is none (``x2 < x1``, NaN in a part of it).
    """

    def __init__(self, path: str, min_score: float = 0.0) -> None:
        self.path = path
        table = read_boxes(path)
        boxes = table[BOX].to_numpy(np.float32)
        scores = table['score'].to_numpy()
        nobody = np.isnan(boxes).all(1)
        ordered = (boxes[:, 2:] >= boxes[:, :2]).all(1)
        good = ordered & (scores >= 0)
        bad = ~nobody & ~good
        if bad.any():
            row = table[bad].iloc[0]
            raise ListFileError(
                f'{path}: {int(bad.sum())} row(s) hold no box, the first of video '
                f'{row.video_id!r}, frame {row.frame}: {row[BOX].tolist()}, score {row.score}. '
                'Expected: x1 <= x2, y1 <= y2 in pixels of the original frames, a score of at '
                'least 0; all NaN where nobody was found.')
        # an empty box where the score is too low: the frame was looked at all the same
        boxes[~nobody & (scores < min_score)] = np.nan
        self._frames = table['frame'].to_numpy()
        self._boxes = boxes
        # the table is sorted: the rows of a video follow each other
        names, starts = np.unique(table['video_id'].to_numpy(str), return_index=True)
        ends = np.append(starts[1:], len(table))
        self._rows: Dict[str, Tuple[int, int]] = {}
        for name, start, end in zip(names.tolist(), starts.tolist(), ends.tolist()):
            self._rows[name] = start, end

    def __contains__(self, video_id: str) -> bool:
        return video_id in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, video_id: str, frames: Sequence[int]) -> List[np.ndarray]:
        """Return the boxes of each frame, taken from the nearest frame that was looked at.

        Args:
            video_id (str): as in the list file.
            frames (sequence[int]): frame numbers, from 0.

        Returns:
            list[np.ndarray]: for each frame, its boxes ``(n, 4)``: x1, y1, x2, y2 in
            pixels of the original frame.

        Raises:
            ListFileError: nothing is known of the video.
        """
        if video_id not in self._rows:
            raise ListFileError(
                f'{self.path} has no rows of video {video_id!r}. Run tools/data/'
                'detect_humans.py on the same list: it adds the videos that are missing.')
        start, end = self._rows[video_id]
        looked_at = self._frames[start:end]
        boxes = self._boxes[start:end]
        somebody = ~np.isnan(boxes[:, 0])
        nearest = _nearest(np.unique(looked_at), np.asarray(frames))
        found = {}
        for frame in np.unique(nearest).tolist():
            found[frame] = boxes[(looked_at == frame) & somebody]
        return [found[frame] for frame in nearest.tolist()]


def _nearest(known: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the nearest of some ascending numbers for each wanted one; of two the lower."""
    last = len(known) - 1
    right = np.searchsorted(known, wanted).clip(1, max(last, 1))
    below = known[right - 1]
    above = known[right.clip(max=last)]
    below_is_nearer = wanted - below <= above - wanted
    return np.where(below_is_nearer, below, above)


def box_files(folder: Path) -> List[Path]:
    """Return the finished files of a folder, sorted.

    Hidden ones are being written, maybe by another process.
    """
    files = []
    for path in folder.glob('*.parquet'):
        if not path.name.startswith('.'):
            files.append(path)
    return sorted(files)


def read_boxes(path: str) -> pd.DataFrame:
    """Read the table of :class:`HumanBoxes`, sorted by video and frame.

    Raises:
        ListFileError: the file is missing, unreadable or lacks columns.
    """
    if not os.path.exists(path):
        raise ListFileError(f'human boxes not found: {path}. Make them with '
                            'tools/data/detect_humans.py; docs/human_boxes.md has the format.')
    parts = [Path(path)]
    if os.path.isdir(path):
        parts = box_files(Path(path))
    if not parts:
        raise ListFileError(f'{path} is a folder without Parquet files: run '
                            'tools/data/detect_humans.py, or name another folder.')
    tables = []
    for part in parts:
        try:
            table = pd.read_parquet(part)
        except (OSError, ValueError) as error:  # pyarrow's errors are ValueErrors
            raise ListFileError(f'{part} cannot be read as Parquet: {error}. Delete it and run '
                                'tools/data/detect_humans.py again.') from error
        missing = [name for name in COLUMNS if name not in table]
        if missing:
            raise ListFileError(f'{part} lacks the column(s) {missing}; expected: '
                                f'{list(COLUMNS)}. docs/human_boxes.md has the format.')
        tables.append(table[list(COLUMNS)].astype(COLUMNS))
    whole = pd.concat(tables)
    return whole.sort_values(['video_id', 'frame'], kind='stable', ignore_index=True)


@lru_cache(maxsize=4)
def load_boxes(path: str, min_score: float) -> HumanBoxes:
    """Load boxes once per process; the data sets of a run share them."""
    return HumanBoxes(path, min_score)


def boxes_to_mask(boxes: np.ndarray, shape: Tuple[int, int]) -> np.ndarray:
    """Draw boxes as a mask.

    Args:
        boxes (np.ndarray): x1, y1, x2, y2 in pixels, ``(n, 4)``; parts outside
            are cut off. A pixel of which a box covers any part belongs to it.
        shape (tuple): ``(H, W)``.

    Returns:
        np.ndarray: uint8, 255 in a box and else 0, ``(H, W)``.
    """
    height, width = shape
    mask = np.zeros(shape, np.uint8)
    starts = np.floor(boxes[:, :2])
    ends = np.ceil(boxes[:, 2:])
    corners = np.concatenate([starts, ends], axis=1)
    corners = corners.clip(0, [width, height, width, height])
    for x1, y1, x2, y2 in corners.astype(int):
        mask[y1:y2, x1:x2] = 255
    return mask


@TRANSFORMS.register_module()
class LoadHumanBoxes(LoadMasks):
    """Add masks of the humans of the sampled frames, from cached boxes.

    Takes the place of :class:`LoadMasks` and leaves the same: comes right after ``ReadClip``,
    applies ``geometry`` to frames and masks alike, and adds ``masks``, a uint8 tensor
    ``(views, T, H, W)``, 255 = human. Name ``'masks'`` in the ``algorithm_keys`` of
    ``PackActionInputs``.

    Args:
        boxes_file (str): file or folder of the boxes (docs/human_boxes.md), below
            ``data_root``.
        geometry (Sequence[dict | Callable]): the transforms that frames and masks share.
        data_root (str): Defaults to ``''``.
        min_score (float): boxes with a lower score are left out. Defaults to 0: the
            detection has a threshold of its own.

    Raises:
        ListFileError: the file cannot be used, or does not know a video.
    """

    def __init__(self,
                 boxes_file: str,
                 geometry: Sequence[Union[dict, Callable]] = (),
                 data_root: str = '',
                 min_score: float = 0.0) -> None:
        # the path only has to be one that LoadMasks accepts: there are no mask files to read
        super().__init__('{video_id}.npz', geometry, data_root)
        # now, not in the loader's workers: they live for an epoch and would read it every time
        self.boxes = load_boxes(os.path.join(data_root, boxes_file), min_score)

    def read(self, video_id: str, indices: np.ndarray) -> List[np.ndarray]:
        """Return the boxes of some frames, ``(n, 4)`` each."""
        return self.boxes.find(video_id, indices)

    @staticmethod
    def fit(mask: np.ndarray, frame: np.ndarray, video_id: str) -> np.ndarray:
        """Draw the boxes of a frame, ``(n, 4)``, as a mask of its size."""
        return boxes_to_mask(mask, frame.shape[:2])
