"""Accuracy, confusions and background errors of each class."""
from typing import Sequence

import numpy as np
import pandas as pd

from devias_mm.errors import UserError
from devias_mm.evaluation.accuracy import (
    agreement,
    predicted_classes,
    stack_scores,
    topk_correct,
)
from devias_mm.evaluation.hits import TASKS
from devias_mm.store.predictions import ON_ERROR


def per_class_table(tables: Sequence[pd.DataFrame], task: str = 'action', k: int = 1,
                    on_error: str = 'count-wrong') -> pd.DataFrame:
    """Score each class on prediction tables of the same videos, one table a seed.

    Args:
        tables: prediction tables, see
            :func:`devias_mm.store.predictions.read_predictions`.
        task: ``'action'`` or ``'scene'``: whose labels make the classes.
        k: top-``k`` accuracy; the other columns are about the first guess.
        on_error: an unreadable video counts as wrong (``'count-wrong'``, the default), is left
            out (``'skip'``), or is an error (``'fail'``).

    Returns:
        pd.DataFrame: one row per class that occurs, ascending; rates in percent:

        - ``class``, ``n``: the class and its number of videos;
        - ``accuracy``, ``accuracy_std``: mean and sample standard deviation over the seeds
          (NaN for one seed);
        - ``confused_with``, ``confused_share``: the class that its videos are most often taken
          for (the lower of two equals; -1: none) and how often, over all seeds;
        - of actions, where a video has a background label, ``n_background`` (how many have),
          ``shacc`` and ``sberr`` (HAT, section 3.3): of these, the percentage predicted as
          the person's action and as the background's, averaged over the seeds.

    Raises:
        ValueError: no table, tables of different videos or labels, an unknown task or
            ``on_error``, or an unreadable video and ``on_error='fail'``.
    """
    if not len(tables):
        raise UserError('per_class_table needs the prediction table of at least one seed')
    if on_error not in ON_ERROR:
        raise UserError(f'unknown on_error {on_error!r}: use one of {", ".join(ON_ERROR)}')
    if task not in TASKS:
        raise UserError(f'unknown task {task!r}: use one of {", ".join(TASKS)}')
    seeds = [_videos(table, task, k, on_error) for table in tables]
    columns = ['class', 'background_label']
    for other in seeds[1:]:
        if not seeds[0][columns].sort_index().equals(other[columns].sort_index()):
            raise UserError('the tables are of different videos or labels: they must be of one '
                             'split and one list')
    videos = pd.concat(seeds, keys=range(len(seeds)), names=['seed'])
    videos = videos[videos['class'] >= 0]
    size = videos.groupby('class').size()
    right = videos.groupby(['class', 'seed'])['correct'].mean()
    accuracy = 100 * right.unstack()  # a column a seed
    result = pd.DataFrame({
        'n': size // len(seeds),
        'accuracy': accuracy.mean(axis=1),
        'accuracy_std': accuracy.std(axis=1),
    })
    result = result.join(_confusions(videos))
    if task == 'action' and (videos['background_label'] >= 0).any():
        result = result.join(_swaps(videos, len(seeds)))
    return result.reset_index()


def _videos(table: pd.DataFrame, task: str, k: int, on_error: str) -> pd.DataFrame:
    """Return what is needed of each video of one seed, indexed by ``video_id``."""
    table = table.set_index('video_id')
    errors = table['error'].dropna()
    if len(errors) and on_error == 'fail':
        raise UserError(f'{len(errors)} unreadable video(s), e.g. {errors.index[0]!r}: '
                        f'{errors.iloc[0]}')
    # a video without scores is predicted as nothing
    scores = stack_scores(list(table[f'{task}_scores']))
    predicted = predicted_classes(scores)
    labels = table[f'{task}_label'].to_numpy()
    backgrounds = table['background_label'].to_numpy()
    columns = {
        'class': labels,
        'background_label': backgrounds,
        'correct': topk_correct(scores, labels, k),
        'predicted': predicted,
        'as_background': agreement(predicted, backgrounds),
    }
    videos = pd.DataFrame(columns, index=table.index)
    if on_error == 'skip':
        videos.loc[errors.index, ['correct', 'as_background']] = np.nan
    return videos


def _confusions(videos: pd.DataFrame) -> pd.DataFrame:
    """Return the most frequent wrong prediction of each class, over all seeds."""
    counted = videos[videos['correct'].notna()]
    mistaken = counted['predicted'] != counted['class']
    wrong = counted[mistaken & (counted['predicted'] >= 0)]
    counts = wrong.groupby(['class', 'predicted']).size()
    counts = counts.rename('times').reset_index()
    # of equals the lower class is named
    counts = counts.sort_values(['times', 'predicted'], ascending=[False, True])
    first = counts.drop_duplicates('class').set_index('class')
    classes = videos['class'].unique()
    confused_with = first['predicted'].reindex(classes, fill_value=-1)
    times = first['times'].reindex(classes, fill_value=0)
    total = counted.groupby('class').size().reindex(classes)
    return pd.DataFrame({
        'confused_with': confused_with.astype(np.int64),
        'confused_share': 100 * times / total,
    })


def _swaps(videos: pd.DataFrame, n_seeds: int) -> pd.DataFrame:
    """Return SHAcc and SBErr of each class over its videos with a background label."""
    swapped = videos[videos['background_label'] >= 0]
    # about the first guess, whatever the k of `correct`; NaN stays NaN
    first_guess = swapped['predicted'] == swapped['class']
    right = swapped['correct'].where(swapped['correct'].isna(), first_guess)
    swapped = swapped.assign(
        shacc=100 * right.astype(float),
        sberr=100 * swapped['as_background'])
    rates = swapped.groupby(['class', 'seed'])[['shacc', 'sberr']].mean()
    means = rates.groupby('class').mean()
    number = swapped.groupby('class').size() // n_seeds
    means.insert(0, 'n_background', number)
    return means
