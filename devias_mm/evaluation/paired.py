"""Paired comparison of two methods on the same videos."""
from typing import NamedTuple

import numpy as np
import pandas as pd

from devias_mm.errors import UserError, shorten
from devias_mm.evaluation.uncertainty import bootstrap_accuracy


class Comparison(NamedTuple):
    """Difference of two accuracies (first minus second), in percent points.

    Attributes:
        difference: in [-100, 100].
        lo, hi: bootstrap interval of the difference.
        p_value: two-sided sign-flip permutation test of "no difference".
        n_videos: number of labelled videos that were compared.
    """
    difference: float
    lo: float
    hi: float
    p_value: float
    n_videos: int


def compare_paired(first: pd.Series,
                   second: pd.Series,
                   n_resamples: int = 2000,
                   confidence: float = 0.95,
                   seed: int = 0) -> Comparison:
    """Compare the per-video correctness of two methods, joined on the video.

    Args:
        first, second: correctness in [0, 1] (a mean over seeds is fine) or NaN
            without a label, indexed by ``video_id``; the order is free.
        n_resamples: bootstrap samples; the test uses five times as many.
        confidence: coverage of the interval.
        seed: seed of both.

    Raises:
        ValueError: a video is repeated, or present in only one of the two.
    """
    second = _in_order_of(first, second)
    difference = (first - second).dropna().to_numpy(dtype=np.float64)
    if difference.size == 0:
        raise ValueError('none of the videos has a label: there is nothing to compare')
    interval = bootstrap_accuracy(difference, n_resamples=n_resamples,
                                  confidence=confidence, seed=seed)
    p_value = _sign_flip_p_value(difference, 5 * n_resamples, seed)
    return Comparison(*interval, p_value, int(difference.size))


def _sign_flip_p_value(difference: np.ndarray, n_resamples: int, seed: int) -> float:
    """Return the two-sided p-value of a sign-flip permutation test of "no difference"."""
    from scipy import stats
    # videos on which both agree are unchanged by a flip of the sign; the single
    # remaining one can only be as extreme as observed
    changed = difference[difference != 0]
    if changed.size < 2:
        return 1.0
    test = stats.permutation_test(
        (changed, ),
        np.sum,
        permutation_type='samples',
        vectorized=True,
        n_resamples=n_resamples,
        batch=1000,
        random_state=np.random.default_rng(seed))
    return float(test.pvalue)


def _in_order_of(first: pd.Series, second: pd.Series) -> pd.Series:
    """Return ``second`` in the video order of ``first``; refuse different sets of videos."""
    for name, series in (('first', first), ('second', second)):
        repeated = series.index[series.index.duplicated()]
        if len(repeated):
            raise UserError(f'the {name} method has video {repeated[0]!r} more than once: '
                            'test it again')
    only_first = first.index.difference(second.index)
    only_second = second.index.difference(first.index)
    for name, missing in (('second', only_first), ('first', only_second)):
        if len(missing):
            raise UserError(f'{len(missing)} video(s) are missing from the {name} method: '
                            f'{shorten(missing)}; test both methods on the same list file')
    return second.loc[first.index]
