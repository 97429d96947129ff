"""HAT: which background goes behind whom (Chung et al., NeurIPS 2022, section 3.2)."""
import pickle
from pathlib import Path, PurePosixPath
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist

from devias_mm.builders.media import FOREGROUND
from devias_mm.datasets.frame_folders import stable_rng

KINDS = ('rand', 'close', 'far', 'same')
#: columns in which tables of scene predictions are looked for
SCORE_COLUMNS = ('scene_scores', 'probabilities', 'scene_probabilities', 'scores')


class SwapVideo(NamedTuple):
    """What the swaps need to know of a video.

    Attributes:
        key (str): ``class name/video``, as in the pickles.
        label (int): action class.
        frames (int): their number.
        low (float): smallest share of mask pixels of its frames, in [0, 1].
        high (float): largest.
    """
    key: str
    label: int
    frames: int
    low: float
    high: float


def area_range(masks: np.ndarray) -> Tuple[float, float]:
    """Smallest and largest share of foreground pixels over the frames of ``(T, H, W)``."""
    share = (masks > FOREGROUND).mean(axis=(1, 2))
    return float(share.min()), float(share.max())


def read_classes(file: str) -> Dict[int, str]:
    """Read class names: ``index,class`` lines, or one name a line, counted from 0.

    Raises:
        ValueError: a line cannot be read, or an index or a name occurs twice.
    """
    lines = [line for line in Path(file).read_text(encoding='utf-8').splitlines() if line.strip()]
    indexed = all(line.split(',', 1)[0].strip().isdigit() and ',' in line for line in lines)
    classes: Dict[int, str] = {}
    for number, line in enumerate(lines):
        index, name = line.split(',', 1) if indexed else (number, line)
        index, name = int(index), name.strip()
        if not name or '/' in name or index in classes or name in classes.values():
            raise ValueError(f'{file}: {line!r} repeats a class, or its name is empty or has a '
                             '"/". Expected lines: `index,class`, or one class name a line.')
        classes[index] = name
    if not classes:
        raise ValueError(f'{file} names no class.')
    return classes


def video_key(name: str, class_name: str) -> str:
    """``class name/video`` of a listed name."""
    return f'{class_name}/{PurePosixPath(name).name}'


def read_scene_scores(file: str) -> pd.Series:
    """:func:`scene_scores` of a file, see :func:`mean_scene_scores`."""
    return scene_scores(pd.read_parquet(file), file)


def scene_scores(table: pd.DataFrame, file: str,
                 columns: Sequence[str] = SCORE_COLUMNS) -> pd.Series:
    """Scene probabilities by ``video_id``, without the videos that have none.

    Args:
        table (DataFrame): the content of ``file``.
        file (str): names it in messages.
        columns (Sequence[str]): where they are looked for.

    Raises:
        ValueError: the table lacks a column, or names a video twice.
    """
    column = next((column for column in columns if column in table), None)
    if column is None or 'video_id' not in table:
        raise ValueError(f'{file}: expected the columns video_id and one of '
                         f'{", ".join(columns)}; it has {", ".join(table)}.')
    twice = table['video_id'][table['video_id'].duplicated()]
    if len(twice):
        raise ValueError(f'{file}: video {twice.iloc[0]!r} has two rows.')
    return table.dropna(subset=[column]).set_index('video_id')[column]


def mean_scene_scores(file: str, names: Sequence[str], labels: Sequence[int],
                      frames: Sequence[int], num_classes: int) -> np.ndarray:
    """Average the predictions of a scene model over the frames of each action class.

    HAT averages over all frames of all videos of a class; a video's mean prediction stands for
    its frames here, so it is weighted by their number.

    Args:
        file (str): Parquet table, one row a video: ``video_id`` and the class probabilities in
            one of ``SCORE_COLUMNS`` (a prediction table, or cached soft labels).
        names (Sequence[str]): the videos, as in the list without suffix.
        labels (Sequence[int]): their action classes.
        frames (Sequence[int]): their lengths.
        num_classes (int): number of action classes.

    Returns:
        np.ndarray: float64 ``(num_classes, Ns)``; a row of NaN for a class without videos.

    Raises:
        ValueError: the table lacks a column or videos, or names a video twice.
    """
    scores = read_scene_scores(file)
    missing = [name for name in names if name not in scores.index]
    if missing:
        raise ValueError(f'{file}: no scene prediction of {len(missing)} videos, such as '
                         f'{", ".join(missing[:3])}. Run the scene model over the whole list, or '
                         'leave them out with --on-error skip.')
    values = np.stack([np.asarray(value, np.float64) for value in scores.loc[list(names)]])
    weights = np.zeros((num_classes, len(names)))
    weights[np.asarray(labels), np.arange(len(names))] = frames
    total = weights.sum(1, keepdims=True)
    with np.errstate(invalid='ignore'):
        return weights @ values / np.where(total > 0, total, np.nan)


def rank_classes(scores: np.ndarray) -> List[List[int]]:
    """Order the other classes by the L1 distance of their mean scene predictions.

    Args:
        scores (np.ndarray): ``(num_classes, Ns)``; classes with NaN are left out.

    Returns:
        list[list[int]]: for each class the others, the closest first; ties by index.
    """
    distances = cdist(scores, scores, 'cityblock')
    known = np.flatnonzero(~np.isnan(scores).any(1))
    return [[int(other) for other in known[np.argsort(distances[label, known], kind='stable')]
             if other != label] if label in known else [] for label in range(len(scores))]


def background_classes(kind: str, label: int, num_classes: int,
                       ranking: Optional[List[List[int]]], close: int, far: int,
                       random_own_class: bool = False) -> List[int]:
    """The classes from which a background may come (HAT, section 3.2.1).

    Args:
        kind (str): one of ``KINDS``.
        label (int): class of the foreground.
        num_classes (int): number of action classes.
        ranking (list): of :func:`rank_classes`, for close and far.
        close (int): how many of the closest classes are close.
        far (int): how many of the farthest classes are far.
        random_own_class (bool): whether random may meet the own class, as in the published
            UCF-101 pairs.
    """
    if kind == 'same':
        return [label]
    if kind == 'rand':
        return [other for other in range(num_classes) if random_own_class or other != label]
    order = ranking[label]
    return sorted(order[:close] if kind == 'close' else order[-far:])


def draw_swaps(videos: Sequence[SwapVideo], kind: str, draw: int, seed: int, num_classes: int,
               ranking: Optional[List[List[int]]] = None, close: int = 5, far: int = 200,
               area: Tuple[float, float] = (.05, .5), background_low: float = 0.,
               random_own_class: bool = False) -> Dict[str, SwapVideo]:
    """Draw a background for every eligible foreground: first a class, then a video of it.

    Foregrounds have a mask share within ``area`` in all frames; for backgrounds the lower bound
    is ``background_low``. A class without any background cannot be drawn. Every foreground has
    random numbers of its own: a pair changes only where its candidates do.

    Args:
        videos (Sequence[SwapVideo]): all videos of the list.
        kind (str): one of ``KINDS``.
        draw (int): number of the draw, from 1.
        seed (int): non-negative.
        num_classes, ranking, close, far, random_own_class: see :func:`background_classes`.
        area (tuple[float]): smallest and largest share allowed.
        background_low (float): smallest share of a background video.

    Returns:
        dict[str, SwapVideo]: background of each foreground key, in the order of the list;
        foregrounds without any candidate are left out.
    """
    low, high = area
    by_class: Dict[int, List[SwapVideo]] = {}
    for video in videos:
        if background_low <= video.low and video.high <= high:
            by_class.setdefault(video.label, []).append(video)
    pairs = {}
    for video in videos:
        if not (low <= video.low and video.high <= high):
            continue
        others = {
            label: [other for other in by_class.get(label, []) if other.key != video.key]
            for label in background_classes(kind, video.label, num_classes, ranking, close, far,
                                            random_own_class)}
        labels = [label for label, candidates in others.items() if candidates]
        if labels:
            rng = stable_rng(seed, kind, draw, video.key)
            candidates = others[labels[rng.integers(len(labels))]]
            pairs[video.key] = candidates[rng.integers(len(candidates))]
    return pairs


def swap_pickle(pairs: Dict[str, SwapVideo], number: type = int) -> bytes:
    """``actionswap_*.pickle``: foreground key -> [background key, its frames, its class].

    Args:
        pairs (dict): of :func:`draw_swaps`.
        number (type): ``int``, or ``str`` as in the published UCF-101 files.
    """
    content = {str(key): [str(other.key), number(other.frames), number(other.label)]
               for key, other in pairs.items()}
    return pickle.dumps(content, protocol=4)
