"""Reading prediction tables (see docs/architecture.md for their columns)."""
from pathlib import Path
from typing import Union

import pandas as pd

from devias_mm.evaluation.accuracy import predicted_classes, topk_correct
from devias_mm.evaluation.hat import agreement

COLUMNS = ('video_id', 'action_label', 'scene_label', 'background_label', 'action_scores',
           'scene_scores', 'error')
TASKS = ('action', 'scene')
# what an unreadable video does to a score
ON_ERROR = ('count-wrong', 'skip', 'fail')


def read_predictions(path: Union[str, Path]) -> pd.DataFrame:
    """Read ``<split>.parquet``; one row a video, the columns of ``COLUMNS``.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a column is missing or a video occurs twice.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'prediction table not found: {path}')
    table = pd.read_parquet(path, engine='pyarrow')
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise ValueError(f'{path} lacks the column(s) {", ".join(missing)}; a prediction '
                         f'table has {", ".join(COLUMNS)}: test the checkpoint again')
    repeated = table['video_id'][table['video_id'].duplicated()]
    if len(repeated):
        raise ValueError(f'{path} holds video {repeated.iloc[0]!r} more than once: '
                         'test the checkpoint again')
    return table


def has_task(table: pd.DataFrame, task: str) -> bool:
    """Whether any row of the table holds scores of ``task`` ('action' or 'scene')."""
    return bool(table[f'{task}_scores'].notna().any())


def correctness(table: pd.DataFrame, task: str = 'action', k: int = 1) -> pd.Series:
    """Per-video top-``k`` correctness indexed by ``video_id``.

    Returns:
        pd.Series: 1 correct; 0 wrong, or without scores; NaN without a label.

    Raises:
        ValueError: ``task`` is unknown.
    """
    if task not in TASKS:
        raise ValueError(f'unknown task {task!r}: use one of {", ".join(TASKS)}')
    values = topk_correct(list(table[f'{task}_scores']), table[f'{task}_label'].to_numpy(), k)
    return pd.Series(values, index=table['video_id'], name=task)


def background_agreement(table: pd.DataFrame) -> pd.Series:
    """Per video: was the action predicted that the *background* belongs to (SBErr)?"""
    values = agreement(predicted_classes(list(table['action_scores'])),
                       table['background_label'].to_numpy())
    return pd.Series(values, index=table['video_id'], name='background')


def unreadable_videos(table: pd.DataFrame) -> pd.Series:
    """The error messages of the videos that could not be read, indexed by ``video_id``."""
    return table.set_index('video_id')['error'].dropna()
