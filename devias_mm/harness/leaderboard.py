"""The table of a suite, computed from stored predictions only.

Columns of ``leaderboard.csv`` (all numbers; empty where a method does not
predict it, or no video is labelled):

- ``method``;
- ``action_seen``, ``action_unseen``, ``scene_seen``, ``scene_unseen``: percent,
  the mean over the splits that the suite names for the column;
- ``hm``: their harmonic mean, percent;
- one column per split, its action accuracy, percent;
- ``n_seeds``, the number of finished seeds;
- ``<split>_scene``: scene accuracy of each split with scene labels, percent;
- ``sberr_unseen`` (percent, lower is better), ``bor``, ``hor`` (ratios), where the
  suite names splits for them.

Each but ``method`` and ``n_seeds`` stands four times: ``_mean`` and ``_std`` over the
seeds (sample standard deviation, empty for one seed), ``_lo`` and ``_hi``, the 95 %
bootstrap interval over videos of the mean over the seeds.
"""
from dataclasses import dataclass
from typing import Callable, Dict, List, Sequence

import numpy as np
import pandas as pd

from devias_mm.evaluation.harmonic_mean import harmonic
from devias_mm.evaluation.hat import mean_std
from devias_mm.evaluation.uncertainty import accuracies, bootstrap
from devias_mm.harness.results import TASKS, MethodResults
from devias_mm.harness.suite import Suite

STATS = ('mean', 'std', 'lo', 'hi')
MAIN_COLUMNS = ('action_seen', 'action_unseen', 'scene_seen', 'scene_unseen', 'hm')
ACTION, SCENE, BACKGROUND = range(len(TASKS))
# percent per split (seeds, tasks, ...) -> value per seed (seeds, ...)
PerSeed = Callable[[Dict[str, np.ndarray]], np.ndarray]


@dataclass(frozen=True)
class Column:
    """A column of the table: a function of the accuracies of some splits."""
    name: str
    splits: Sequence[str]
    per_seed: PerSeed


def leaderboard(suite: Suite, results: Sequence[MethodResults], n_resamples: int = 2000,
                seed: int = 0) -> pd.DataFrame:
    """Compute the table; its columns are described at the top of this module.

    Args:
        suite: names the splits of the columns.
        results: one entry per row, see :func:`devias_mm.harness.results.collect`.
        n_resamples: bootstrap samples.
        seed: seed of the bootstrap.
    """
    rows = []
    for result in results:
        row = {'method': result.method}
        for column in required_columns(suite):
            row.update(_cells(column, result, n_resamples, seed))
        row['n_seeds'] = len(result.seeds)
        for column in further_columns(suite):
            row.update(_cells(column, result, n_resamples, seed))
        rows.append(row)
    return pd.DataFrame(rows)


def required_columns(suite: Suite) -> List[Column]:
    """The four components, their harmonic mean, and one column per split."""
    parts = {'action_seen': (suite.action_seen, ACTION),
             'action_unseen': (suite.action_unseen, ACTION),
             'scene_seen': (suite.scene_seen, SCENE),
             'scene_unseen': (suite.scene_unseen, SCENE)}
    columns = [Column(name, splits, _mean_of(splits, task))
               for name, (splits, task) in parts.items()]
    every = list(dict.fromkeys(split for splits, _ in parts.values() for split in splits))
    columns.append(Column('hm', every, lambda percent: harmonic(
        np.stack([column.per_seed(percent) for column in columns[:4]]))))
    return columns + [Column(split, (split, ), _mean_of((split, ), ACTION))
                      for split in suite.splits]


def further_columns(suite: Suite) -> List[Column]:
    """Scene accuracy per split, and the HAT metrics of the splits that the suite names."""
    columns = [Column(f'{split}_scene', (split, ), _mean_of((split, ), SCENE))
               for split in suite.splits]
    if suite.sberr_splits:
        columns.append(Column('sberr_unseen', suite.sberr_splits,
                              _mean_of(suite.sberr_splits, BACKGROUND)))
    for name, split in (('bor', suite.background_only), ('hor', suite.human_only)):
        if split is not None:
            columns.append(Column(name, (split, *suite.action_seen),
                                  _ratio_to_seen(split, suite.action_seen)))
    return columns


def _cells(column: Column, result: MethodResults, n_resamples: int, seed: int
           ) -> Dict[str, float]:
    hits = {split: result.hits[split] for split in column.splits}
    if hits:
        values = column.per_seed(accuracies(hits))
        # resampled together: the mean over seeds of the metric, not the metric of the mean
        value, lo, hi = bootstrap(hits, lambda percent: column.per_seed(percent).mean(axis=0),
                                  n_resamples=n_resamples, seed=seed)
        cells = value, mean_std(values).std, lo, hi
    else:
        cells = (float('nan'), ) * len(STATS)
    return {f'{column.name}_{stat}': cell for stat, cell in zip(STATS, cells)}


def _mean_of(splits: Sequence[str], task: int) -> PerSeed:
    def per_seed(percent: Dict[str, np.ndarray]) -> np.ndarray:
        if not splits:
            first = next(iter(percent.values()))
            return np.full_like(first[:, task], np.nan)
        return np.mean([percent[split][:, task] for split in splits], axis=0)
    return per_seed


def _ratio_to_seen(split: str, seen: Sequence[str]) -> PerSeed:
    original = _mean_of(seen, ACTION)

    def per_seed(percent: Dict[str, np.ndarray]) -> np.ndarray:
        # a clip without a person may have no action label: its background's action then
        part = percent[split][:, ACTION]
        part = np.where(np.isnan(part), percent[split][:, BACKGROUND], part)
        whole = original(percent)
        return np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), np.nan)
    return per_seed
