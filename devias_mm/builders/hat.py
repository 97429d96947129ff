"""HAT: which background goes behind whom (Chung et al., NeurIPS 2022, section 3.2)."""
import pickle
import re
from pathlib import Path, PurePosixPath
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist

from devias_mm.builders.media import FOREGROUND
from devias_mm.builders.videos import check_output_name
from devias_mm.datasets.frame_folders import stable_rng
from devias_mm.errors import ListFileError, MissingFileError, UsageError, UserError, shorten

KINDS = ('rand', 'close', 'far', 'same')
#: columns in which tables of scene predictions are looked for
SCORE_COLUMNS = ('scene_scores', 'probabilities', 'scene_probabilities', 'scores')
_INDEXED = re.compile(r'\s*[0-9]+\s*,')


class SwapVideo(NamedTuple):
    """What the swaps need to know of a video.

    Attributes:
        key: ``class name/video``, as in the pickles.
        label: action class.
        frames: their number.
        low: smallest share of mask pixels of its frames, in [0, 1].
        high: largest.
    """
    key: str
    label: int
    frames: int
    low: float
    high: float


class SwapRules(NamedTuple):
    """Which backgrounds are allowed (HAT, section 3.2.1).

    Attributes:
        num_classes: number of action classes.
        ranking: of :func:`rank_classes`, for close and far.
        close: how many of the closest classes are close.
        far: how many of the farthest classes are far.
        area: smallest and largest share of mask pixels in every frame of a foreground.
        background_low: smallest share of a background video.
        random_own_class: whether random may meet the own class, as in the published UCF-101
            pairs.
    """
    num_classes: int
    ranking: Optional[List[List[int]]] = None
    close: int = 5
    far: int = 200
    area: Tuple[float, float] = (0.05, 0.5)
    background_low: float = 0.0
    random_own_class: bool = False

    def is_foreground(self, video: SwapVideo) -> bool:
        """Return whether a video's person may be put in front of another background."""
        low, high = self.area
        return low <= video.low and video.high <= high

    def is_background(self, video: SwapVideo) -> bool:
        """Return whether a video may give a background."""
        return self.background_low <= video.low and video.high <= self.area[1]

    def background_classes(self, kind: str, label: int) -> List[int]:
        """Return the classes from which the background of a person of class ``label`` may come."""
        if kind == 'same':
            return [label]
        if kind == 'rand':
            return [other for other in range(self.num_classes)
                    if self.random_own_class or other != label]
        order = self.ranking[label]
        if kind == 'close':
            return sorted(order[:self.close])
        return sorted(order[-self.far:])


def area_range(masks: np.ndarray) -> Tuple[float, float]:
    """Return the smallest and largest share of foreground pixels over frames ``(T, H, W)``."""
    share = (masks > FOREGROUND).mean(axis=(1, 2))
    return float(share.min()), float(share.max())


def read_classes(file: str) -> Dict[int, str]:
    """Read class names: ``index,class`` lines, or one name a line, counted from 0.

    Raises:
        UserError: a line cannot be read, an index or a name occurs twice, or a name is none for
            a folder.
    """
    try:
        text = Path(file).read_text(encoding='utf-8')
    except FileNotFoundError:
        raise MissingFileError(f'class names not found: {file} (--classes).') from None
    except (OSError, UnicodeDecodeError) as error:
        raise ListFileError(f'{file} cannot be read as UTF-8 text ({error}).') from None
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise ListFileError(f'{file} names no class.')
    indexed = all(_INDEXED.match(line) for line in lines)
    classes: Dict[int, str] = {}
    for number, line in enumerate(lines):
        index, name = line.split(',', 1) if indexed else (number, line)
        index, name = int(index), name.strip()
        if not name or '/' in name or index in classes or name in classes.values():
            raise ListFileError(f'{file}: {line!r} repeats a class, or its name is empty or has a '
                                '"/". Expected lines: `index,class`, or one class name a line.')
        try:
            check_output_name(name)
        except UserError as error:
            raise ListFileError(f'{file}: {error}: it becomes the name of a folder.') from None
        classes[index] = name
    return classes


def video_key(name: str, class_name: str) -> str:
    """Return ``class name/video`` of a listed name."""
    return f'{class_name}/{PurePosixPath(name).name}'


def read_scene_scores(file: str) -> pd.Series:
    """Read :func:`scene_scores` from a Parquet file, see :func:`mean_scene_scores`."""
    try:
        table = pd.read_parquet(file)
    except FileNotFoundError:
        raise MissingFileError(f'scene predictions not found: {file} (--scene-scores).') from None
    except (OSError, ValueError) as error:  # pyarrow's errors are ValueErrors
        raise ListFileError(f'{file} cannot be read as Parquet: {error}') from None
    return scene_scores(table, file)


def scene_scores(table: pd.DataFrame, file: str,
                 columns: Sequence[str] = SCORE_COLUMNS) -> pd.Series:
    """Return scene probabilities by ``video_id``, without the videos that have none.

    Args:
        table: the content of ``file``.
        file: names it in messages.
        columns: where they are looked for.

    Raises:
        UserError: the table lacks a column, or names a video twice.
    """
    there = [column for column in columns if column in table]
    if not there or 'video_id' not in table:
        raise UserError(f'{file}: expected the columns video_id and one of '
                        f'{", ".join(columns)}; it has {", ".join(table)}.')
    twice = table['video_id'][table['video_id'].duplicated()]
    if len(twice):
        raise UserError(f'{file}: video {twice.iloc[0]!r} has two rows.')
    return table.dropna(subset=[there[0]]).set_index('video_id')[there[0]]


def mean_scene_scores(file: str, names: Sequence[str], labels: Sequence[int],
                      frames: Sequence[int], num_classes: int) -> np.ndarray:
    """Average the predictions of a scene model over the frames of each action class.

    HAT averages over all frames of all videos of a class; a video's mean prediction stands for
    its frames here, so it is weighted by their number.

    Args:
        file: Parquet table, one row a video: ``video_id`` and the class probabilities in
            one of ``SCORE_COLUMNS`` (a prediction table, or cached soft labels).
        names: the videos, as in the list without suffix.
        labels: their action classes.
        frames: their lengths.
        num_classes: number of action classes.

    Returns:
        np.ndarray: float64 ``(num_classes, Ns)``; a row of NaN for a class without videos.

    Raises:
        UserError: the table lacks a column or videos, or names a video twice.
    """
    scores = read_scene_scores(file)
    missing = [name for name in names if name not in scores.index]
    if missing:
        raise UserError(f'{file}: no scene prediction of {len(missing)} videos, such as '
                        f'{shorten(missing)}. Run the scene model over the whole list, or '
                        'leave them out with --on-error skip.')
    values = [np.asarray(value, np.float64) for value in scores.loc[list(names)]]
    if len({value.shape for value in values}) > 1:
        raise UserError(f'{file}: the videos have different numbers of scene probabilities.')
    weights = np.zeros((num_classes, len(names)))
    weights[np.asarray(labels), np.arange(len(names))] = frames
    total = weights.sum(1, keepdims=True)
    with np.errstate(invalid='ignore'):
        return weights @ np.stack(values) / np.where(total > 0, total, np.nan)


def rank_classes(scores: np.ndarray) -> List[List[int]]:
    """Order the other classes by the L1 distance of their mean scene predictions.

    Args:
        scores: ``(num_classes, Ns)``; classes with NaN are left out.

    Returns:
        list[list[int]]: for each class the others, the closest first; ties by index.
    """
    distances = cdist(scores, scores, 'cityblock')
    known = np.flatnonzero(~np.isnan(scores).any(1))
    ranking: List[List[int]] = [[] for _ in scores]
    for label in known.tolist():
        order = known[np.argsort(distances[label, known], kind='stable')]
        ranking[label] = [other for other in order.tolist() if other != label]
    return ranking


def draw_swaps(videos: Sequence[SwapVideo], kind: str, draw: int, seed: int,
               rules: SwapRules) -> Dict[str, SwapVideo]:
    """Draw a background for every eligible foreground: first a class, then a video of it.

    A class without any background cannot be drawn. Every foreground has random numbers of its
    own: a pair changes only where its candidates do.

    Args:
        videos: all videos of the list.
        kind: one of ``KINDS``.
        draw: number of the draw, from 1.
        seed: non-negative.
        rules: which videos and classes are eligible.

    Returns:
        dict[str, SwapVideo]: background of each foreground key, in the order of the list;
        foregrounds without any candidate are left out.
    """
    backgrounds: Dict[int, List[SwapVideo]] = {}
    for video in videos:
        if rules.is_background(video):
            backgrounds.setdefault(video.label, []).append(video)
    pairs = {}
    for video in videos:
        if not rules.is_foreground(video):
            continue
        candidates = []  # one list a class
        for label in rules.background_classes(kind, video.label):
            others = [other for other in backgrounds.get(label, []) if other.key != video.key]
            if others:
                candidates.append(others)
        if candidates:
            rng = stable_rng(seed, kind, draw, video.key)
            of_class = candidates[rng.integers(len(candidates))]
            pairs[video.key] = of_class[rng.integers(len(of_class))]
    return pairs


def check_swap_numbers(close: int, far: Optional[int], num_classes: int) -> None:
    """Check ``--close`` and ``--far``.

    Raises:
        UsageError: one is not a number of other classes.
    """
    for name, value in (('--close', close), ('--far', far)):
        if value is not None and not 1 <= value < num_classes:
            raise UsageError(f'{name} {value}: there are {num_classes} classes, so accepted is '
                             f'1..{num_classes - 1}.')


def swap_pickle(pairs: Dict[str, SwapVideo], number: type = int) -> bytes:
    """Return ``actionswap_*.pickle``: foreground key -> [background key, its frames, its class].

    Args:
        pairs: of :func:`draw_swaps`.
        number: ``int``, or ``str`` as in the published UCF-101 files.
    """
    content = {str(key): [str(other.key), number(other.frames), number(other.label)]
               for key, other in pairs.items()}
    return pickle.dumps(content, protocol=4)
