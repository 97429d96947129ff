"""The table of a suite, computed from stored predictions only.

Columns of ``leaderboard.csv`` (numbers; empty where a method does not predict it, or no video
is labelled):

- ``method``;
- of every metric of the suite's protocol ``<metric>_mean`` and ``<metric>_std`` over the seeds
  (sample standard deviation, empty for one seed), and ``<metric>_lo`` and ``<metric>_hi``, the
  95 % bootstrap interval over videos of the mean over the seeds;
- ``<metric>_split_std`` of metrics of a set of draws whose spread is that over the draws: the
  sample standard deviation of the mean over the seeds;
- ``n_seeds``, the number of finished seeds;
- ``n_unreadable``, the number of unreadable videos of all splits, and ``on_error``, what they
  do to the scores (``count-wrong`` or ``skip``).

What the metrics are is declared in :mod:`devias_mm.evaluation.metrics`.
"""
from functools import partial
from typing import Dict, Mapping, Sequence, Union

import numpy as np
import pandas as pd

from devias_mm.evaluation.accuracy import mean_percent
from devias_mm.evaluation.metrics import Metric, Split, split_accuracies
from devias_mm.evaluation.uncertainty import Case, Interval, bootstrap_all, sample_std
from devias_mm.harness.protocol import Protocol
from devias_mm.harness.results import MethodResults
from devias_mm.harness.suite import Suite

STATS = ('mean', 'std', 'lo', 'hi')


def leaderboard(suite: Suite, results: Sequence[MethodResults], n_resamples: int = 2000,
                seed: int = 0) -> pd.DataFrame:
    """Compute the table; its columns are described at the top of this module.

    Args:
        suite: names the metrics.
        results: one entry per row, see :func:`devias_mm.harness.results.collect`.
        n_resamples: bootstrap samples.
        seed: seed of the bootstrap.
    """
    protocol = suite.protocol
    metrics = protocol.columns
    # all at once, because methods and metrics share their resamples
    cases = [_case(protocol, metric, result) for result in results for metric in metrics]
    intervals = bootstrap_all(cases, n_resamples, seed=seed)
    rows = []
    for number, result in enumerate(results):
        own = intervals[number * len(metrics):(number + 1) * len(metrics)]
        rows.append(_row(protocol, result, own))
    return pd.DataFrame(rows)


def unreadable_cells(results: Sequence[MethodResults]) -> Dict[str, Union[int, str]]:
    """Return how many videos of a row could not be read, and what they did to its scores."""
    count = sum(len(videos) for result in results for videos in result.unreadable.values())
    return dict(n_unreadable=count, on_error=results[0].on_error)


def _case(protocol: Protocol, metric: Metric, result: MethodResults) -> Case:
    """Return what is bootstrapped: the mean over seeds of a metric, not the metric of the mean."""
    hits = _hits(protocol, metric, result)
    return Case(hits, partial(_mean_over_seeds, protocol, metric))


def _row(protocol: Protocol, result: MethodResults, intervals: Sequence[Interval]
         ) -> Dict[str, Union[str, int, float]]:
    """Return the cells of one method; ``intervals`` are those of the protocol's columns."""
    row: Dict[str, Union[str, int, float]] = {'method': result.method}
    for metric, interval in zip(protocol.columns, intervals):
        row[f'{metric.name}_mean'] = interval.value
        row[f'{metric.name}_std'] = sample_std(_per_seed(protocol, metric, result))
        row[f'{metric.name}_lo'] = interval.lo
        row[f'{metric.name}_hi'] = interval.hi
    for metric in protocol.columns:
        draws = protocol.splits_of(metric.splits)
        if metric.over_draws and len(draws) > 1:
            row[f'{metric.name}_split_std'] = _std_over_draws(protocol, metric, result)
    row['n_seeds'] = len(result.seeds)
    row.update(unreadable_cells([result]))
    return row


def _hits(protocol: Protocol, metric: Metric, result: MethodResults) -> Dict[Split, np.ndarray]:
    """Return what was right on the splits that a metric needs."""
    splits = protocol.splits_of(protocol.tested(metric.splits))
    return {split: result.hits_of(split) for split in splits}


def _value(protocol: Protocol, metric: Metric, percent: Mapping[Split, np.ndarray]) -> np.ndarray:
    """Return a metric of each seed from the percentages of its splits."""
    splits = protocol.tested(metric.splits)
    return metric.value(split_accuracies(percent, splits, protocol.sets))


def _mean_over_seeds(protocol: Protocol, metric: Metric, percent: Mapping[Split, np.ndarray]
                     ) -> np.ndarray:
    return _value(protocol, metric, percent).mean(axis=0)


def _per_seed(protocol: Protocol, metric: Metric, result: MethodResults) -> np.ndarray:
    """Return a metric of each seed."""
    hits = _hits(protocol, metric, result)
    percent = {split: mean_percent(values) for split, values in hits.items()}
    return _value(protocol, metric, percent)


def _std_over_draws(protocol: Protocol, metric: Metric, result: MethodResults) -> float:
    """Return the spread of a metric over the draws of its set."""
    hits = _hits(protocol, metric, result)
    name, = metric.splits
    means = []
    for draw in protocol.splits_of(metric.splits):
        percent = {draw: mean_percent(hits[draw])}
        accuracies = split_accuracies(percent, metric.splits, {name: (draw, )})
        means.append(metric.value(accuracies).mean())
    return sample_std(means)
