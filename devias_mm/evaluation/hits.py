"""Which videos of a stored prediction table are right: all that a leaderboard needs of it.

Score matrices are read in parts and are not kept, so that a split of a million videos with 400
classes takes tens of megabytes.
"""
from pathlib import Path
from typing import Dict, List, Mapping, NamedTuple, Union

import numpy as np
import pandas as pd
import pyarrow as pa

from devias_mm.errors import UserError
from devias_mm.evaluation.accuracy import agreement, common_width, predicted_classes, topk_correct
from devias_mm.store.predictions import open_predictions, require_unique

TASKS = ('action', 'scene')
_BATCH_VIDEOS = 4096


class SplitHits(NamedTuple):
    """What a model got right on a split.

    Attributes:
        values: float64 ``(3, n)``: action right, scene right, predicted as the background's
            action; NaN where there is no label, or the task was not asked for.
        videos: the ``video_id`` of each column.
        errors: error messages of the videos that could not be read, by ``video_id``.
        without_scores: per task the number of readable videos without scores.
    """
    values: np.ndarray
    videos: pd.Index
    errors: pd.Series
    without_scores: Dict[str, int]


def read_hits(path: Union[str, Path], topk: Mapping[str, int]) -> SplitHits:
    """Read a prediction table, see :class:`SplitHits`.

    Args:
        path: the ``.parquet`` file.
        topk: task -> the guesses among which a right answer counts, of the tasks that matter.

    Raises:
        UserError: there is no such file, a column is missing, or a video occurs twice.

    Example::

        read_hits('predictions/seen.parquet', {'action': 1, 'scene': 5}).values.mean(axis=1)
    """
    file = open_predictions(path)
    scores = [f'{task}_scores' for task in topk]
    columns = ['video_id', 'action_label', 'scene_label', 'background_label', 'error', *scores]
    videos: List[pa.Array] = []
    errors: List[pa.Array] = []
    values: List[np.ndarray] = []
    without_scores = dict.fromkeys(topk, 0)
    for batch in file.iter_batches(_BATCH_VIDEOS, columns=columns, use_threads=False):
        videos.append(batch.column('video_id'))
        errors.append(batch.column('error'))
        try:
            values.append(_batch_hits(batch, topk, without_scores))
        except ValueError as error:
            raise UserError(f'{path}: {error}') from None
    if not values:
        raise UserError(f'{path} holds no videos: test the checkpoint again')
    index = pd.Index(pa.chunked_array(videos).to_pandas(), name='video_id')
    require_unique(path, index)
    messages = pd.Series(pa.chunked_array(errors).to_pandas().to_numpy(), index=index)
    return SplitHits(np.concatenate(values, axis=1), index, messages.dropna(), without_scores)


def _batch_hits(batch: pa.RecordBatch, topk: Mapping[str, int], without_scores: Dict[str, int]
                ) -> np.ndarray:
    """Return the rows of ``SplitHits.values`` for some videos, and count those without scores."""
    hits = np.full((3, batch.num_rows), np.nan)
    readable = batch.column('error').is_null().to_numpy(zero_copy_only=False)
    for task, k in topk.items():
        column = batch.column(f'{task}_scores')
        given = column.is_valid().to_numpy(zero_copy_only=False)
        without_scores[task] += int((readable & ~given).sum())
        matrix = _score_matrix(column, given)
        labels = batch.column(f'{task}_label').to_numpy()
        hits[TASKS.index(task)] = topk_correct(matrix, labels, k)
        if task == 'action':
            backgrounds = batch.column('background_label').to_numpy()
            if (backgrounds >= 0).any():
                hits[2] = agreement(predicted_classes(matrix), backgrounds)
    return hits


def _score_matrix(column: pa.Array, given: np.ndarray) -> np.ndarray:
    """Return float32 ``(n, C)``, without copying where all rows have scores; NaN where not."""
    if not given.any():  # then the file may not even say that these are lists
        return np.empty((len(given), 0), dtype=np.float32)
    width = common_width(column.value_lengths().drop_null().unique().to_pylist())
    scores = column.flatten().to_numpy(zero_copy_only=False).reshape(-1, width)
    if given.all():
        return scores
    matrix = np.full((len(given), width), np.nan, dtype=scores.dtype)
    matrix[given] = scores
    return matrix
