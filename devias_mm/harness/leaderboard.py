"""The table of a suite, computed from stored predictions only.

Columns of ``leaderboard.csv`` (numbers; empty where a method does not
predict it, or no video is labelled):

- ``method``;
- ``action_seen``, ``action_unseen``, ``scene_seen``, ``scene_unseen``: percent,
  the mean over the splits that the suite names for the column (a set of draws
  counts as one split);
- ``hm``: their harmonic mean, percent;
- one column per split, its action accuracy, percent;
- ``n_seeds``, the number of finished seeds;
- ``<split>_scene``: scene accuracy of each split with scene labels, percent;
- ``action_unseen_all``, ``scene_unseen_all``, ``hm_all``: the same over the suite's
  comprehensive protocol, where it has one;
- one column per set of draws, its action accuracy, and ``<set>_scene``, percent;
- ``sberr_unseen`` (percent, lower is better), ``bor``, ``hor`` (ratios), where the
  suite names splits for them;
- ``shacc_<set>``, ``sberr_<set>``: SHAcc and SBErr of each action-swap set, percent,
  and ``shacc_<set>_split_std``, ``sberr_<set>_split_std``: the sample standard deviation
  over its draws (of the mean over the seeds);
- ``contrasted-<source>``: contrasted accuracy of a pair of SCUBA and SCUFO splits, percent;
- ``n_unreadable``: the number of unreadable videos of all splits, and ``on_error``, what they do
  to the scores (``count-wrong`` or ``skip``).

Each but ``method``, ``n_seeds`` and the last two stands four times: ``_mean`` and ``_std`` over the
seeds (sample standard deviation, empty for one seed), ``_lo`` and ``_hi``, the 95 %
bootstrap interval over videos of the mean over the seeds.
"""
from dataclasses import dataclass
from typing import Callable, Dict, List, Sequence, Tuple, Union

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
        row.update(_split_stds(suite, result))
        row.update(unreadable_cells([result]))
        rows.append(row)
    return pd.DataFrame(rows)


def unreadable_cells(results: Sequence[MethodResults]) -> Dict[str, Union[int, str]]:
    """How many videos of a row could not be read, and what they did to its scores."""
    count = sum(len(videos) for result in results for videos in result.unreadable.values())
    return dict(n_unreadable=count, on_error=results[0].on_error)


def required_columns(suite: Suite) -> List[Column]:
    """The four components, their harmonic mean, and one column per split."""
    parts = [_mean_column(suite, name, getattr(suite, name), task)
             for name, task in zip(MAIN_COLUMNS, (ACTION, ACTION, SCENE, SCENE))]
    return [*parts, _harmonic_column('hm', parts),
            *(_mean_column(suite, split, (split, ), ACTION) for split in suite.splits)]


def further_columns(suite: Suite) -> List[Column]:
    """Sets of draws, scene accuracies, the comprehensive protocol and the HAT metrics."""
    columns = [_mean_column(suite, name, (name, ), ACTION) for name in suite.sets]
    columns += [_mean_column(suite, f'{name}_scene', (name, ), SCENE)
                for name in (*suite.splits, *suite.sets)]
    if suite.action_unseen_all or suite.scene_unseen_all:
        seen_action, _, seen_scene, _ = required_columns(suite)[:4]
        action = _mean_column(suite, 'action_unseen_all', suite.action_unseen_all, ACTION)
        scene = _mean_column(suite, 'scene_unseen_all', suite.scene_unseen_all, SCENE)
        columns += [action, scene,
                    _harmonic_column('hm_all', (seen_action, action, seen_scene, scene))]
    if suite.sberr_splits:
        columns.append(_mean_column(suite, 'sberr_unseen', suite.sberr_splits, BACKGROUND))
    for name, split in (('bor', suite.background_only), ('hor', suite.human_only)):
        if split is not None:
            columns.append(Column(name, (split, *suite.splits_of(suite.action_seen)),
                                  _ratio_to_seen(suite, split)))
    columns += [_mean_column(suite, name, (name, ), ACTION) for name in suite.contrasts]
    for name, metric, task in _swap_metrics(suite):
        columns.append(_mean_column(suite, metric, (name, ), task))
    return columns


def _swap_metrics(suite: Suite) -> List[Tuple[str, str, int]]:
    """Set, column and task of the HAT metrics of each action-swap set."""
    return [(name, f'{metric}_{name}', task) for name in suite.swap_sets
            for metric, task in (('shacc', ACTION), ('sberr', BACKGROUND))]


def _split_stds(suite: Suite, result: MethodResults) -> Dict[str, float]:
    """Spread of the HAT metrics over the draws of each action-swap set, in percent."""
    stds = {}
    for name, metric, task in _swap_metrics(suite):
        splits = suite.splits_of((name, ))
        if len(splits) < 2:
            continue
        percent = accuracies({split: result.hits[split] for split in splits})
        stds[f'{metric}_split_std'] = mean_std(
            [percent[split][:, task].mean() for split in splits]).std
    return stds


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


def _mean_column(suite: Suite, name: str, parts: Sequence[str], task: int) -> Column:
    """Mean of the accuracies of splits and sets; NaN where there are none."""
    groups = [suite.splits_of((part, )) for part in parts]

    def per_seed(percent: Dict[str, np.ndarray]) -> np.ndarray:
        if not groups:
            first = next(iter(percent.values()))
            return np.full_like(first[:, task], np.nan)
        return np.mean([np.mean([percent[split][:, task] for split in group], axis=0)
                        for group in groups], axis=0)
    return Column(name, suite.splits_of(parts), per_seed)


def _harmonic_column(name: str, parts: Sequence[Column]) -> Column:
    every = list(dict.fromkeys(split for part in parts for split in part.splits))
    return Column(name, every, lambda percent: harmonic(
        np.stack([part.per_seed(percent) for part in parts])))


def _ratio_to_seen(suite: Suite, split: str) -> PerSeed:
    original = _mean_column(suite, 'original', suite.action_seen, ACTION).per_seed

    def per_seed(percent: Dict[str, np.ndarray]) -> np.ndarray:
        # a clip without a person may have no action label: its background's action then
        part = percent[split][:, ACTION]
        part = np.where(np.isnan(part), percent[split][:, BACKGROUND], part)
        whole = original(percent)
        return np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), np.nan)
    return per_seed
