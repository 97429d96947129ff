"""Bootstrap confidence intervals over videos."""
from typing import Callable, Dict, Mapping, NamedTuple, Union

import numpy as np
from scipy import stats

Hits = Mapping[str, np.ndarray]
Statistic = Callable[[Dict[str, np.ndarray]], Union[float, np.ndarray]]

# resampled entries held in memory at once
_BATCH_ENTRIES = 4_000_000


class Interval(NamedTuple):
    """A value with its confidence interval, in the unit of the value."""
    value: float
    lo: float
    hi: float


def accuracies(hits: Hits) -> Dict[str, np.ndarray]:
    """Percent of each split: the mean over the last axis (videos), NaN entries left out."""
    return {split: _percent(np.asarray(values, dtype=np.float64))
            for split, values in hits.items()}


def bootstrap(hits: Hits, statistic: Statistic, n_resamples: int = 2000,
              confidence: float = 0.95, seed: int = 0) -> Interval:
    """Percentile bootstrap of a statistic of the accuracies of one or more splits.

    Videos are resampled with replacement, each split by itself. All entries of
    a video stay together, so that a composite of action and scene accuracy
    (H.M.), or a mean over seeds, sees the same resampled videos.

    Args:
        hits: per split the correctness ``(..., n_videos)``: 1 correct, 0 wrong,
            NaN without a label. The leading axes (seeds, tasks ...) are free.
        statistic: takes ``{split: percent (..., )}``, returns the value. Must
            broadcast: under resampling the percents have one more, last axis.
        n_resamples: number of bootstrap samples.
        confidence: coverage of the interval, in (0, 1).
        seed: seed of the resampling; equal seeds give equal intervals.

    Returns:
        Interval: ``lo = hi = value`` where all videos agree or there is only
        one; all NaN where the statistic is NaN (nothing is labelled).

    Raises:
        ValueError: a split without videos, or ``confidence`` outside (0, 1).
    """
    if not 0 < confidence < 1:
        raise ValueError(f'confidence={confidence} must lie in (0, 1), e.g. 0.95')
    hits = {split: np.asarray(values, dtype=np.float64) for split, values in hits.items()}
    for split, values in hits.items():
        if values.shape[-1] == 0:
            raise ValueError(f'split {split!r} holds no videos: nothing to resample')
    value = float(np.asarray(statistic(accuracies(hits))))
    # scipy refuses samples of one observation: such a split cannot vary, and stays as it is
    varying = [split for split, values in hits.items() if values.shape[-1] > 1]
    if np.isnan(value) or not varying:
        return Interval(value, value, value)
    fixed = {split: _percent(values)[..., None] for split, values in hits.items()
             if split not in varying}

    def resampled(*rows: np.ndarray, axis: int = -1) -> np.ndarray:
        count = np.atleast_2d(rows[0]).shape[0]
        parts = {split: np.repeat(percent, count, axis=-1) for split, percent in fixed.items()}
        for split, row in zip(varying, rows):
            parts[split] = _resampled_percent(hits[split], np.atleast_2d(row))
        result = np.asarray(statistic(parts))
        return result if rows[0].ndim > 1 else result[..., 0]

    # the samples are row numbers, which keeps all entries of a video together
    rows = tuple(np.arange(hits[split].shape[-1]) for split in varying)
    entries = sum(len(row) for row in rows)
    interval = stats.bootstrap(
        rows, resampled, n_resamples=n_resamples, confidence_level=confidence,
        batch=max(1, _BATCH_ENTRIES // entries), vectorized=True, method='percentile',
        random_state=np.random.default_rng(seed)).confidence_interval
    return Interval(value, float(interval.low), float(interval.high))


def bootstrap_accuracy(correct: np.ndarray, **kwargs) -> Interval:
    """Interval of a plain accuracy.

    Args:
        correct: ``(n_videos,)``: 1, 0, or NaN without a label (left out).
        kwargs: as for :func:`bootstrap`.
    """
    correct = np.asarray(correct, dtype=np.float64)
    correct = correct[~np.isnan(correct)]
    if correct.size == 0:
        return Interval(float('nan'), float('nan'), float('nan'))
    return bootstrap({'all': correct}, lambda percent: percent['all'], **kwargs)


def _percent(values: np.ndarray) -> np.ndarray:
    """Mean over the videos, in percent, ``(..., n) -> (...)``."""
    return _resampled_percent(values, np.arange(values.shape[-1])[None])[..., 0]


def _resampled_percent(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Percent of each of ``R`` resamples: ``(..., n)`` and row numbers ``(R, n)`` -> ``(..., R)``.

    How often a resample holds each video is a matrix, which all entries of a
    video share: one product replaces the gathering of ``R`` copies of them.
    """
    count, n = rows.shape
    offset = n * np.arange(count)[:, None]
    weights = np.bincount((rows + offset).ravel(), minlength=count * n).reshape(count, n).T
    weights = weights.astype(np.float64)
    valid = ~np.isnan(values)
    total = np.where(valid, values, 0.0) @ weights
    size = valid.astype(np.float64) @ weights
    return np.where(size > 0, 100.0 * total / np.maximum(size, 1.0), np.nan)
