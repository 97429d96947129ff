"""Per-video correctness from prediction tables."""
import pandas as pd

from devias_mm.evaluation.accuracy import predicted_classes, topk_correct
from devias_mm.evaluation.hat import agreement

TASKS = ('action', 'scene')


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
