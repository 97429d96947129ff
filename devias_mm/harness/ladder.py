"""The table of a ladder suite: accuracy at each setting, and where a method breaks.

Columns of ``leaderboard.csv``: ``method``; ``unseen@<x>`` and ``seen@<x>`` for every variant
(action accuracy on the suite's unseen and seen splits, percent, each as ``_mean``, ``_std``,
``_lo``, ``_hi``, see :mod:`devias_mm.harness.leaderboard`); ``breaking_<axis>``; ``n_seeds``, the
smallest number of finished seeds of a variant; ``n_unreadable`` and ``on_error``, as there.
"""
from typing import List, Sequence

import numpy as np
import pandas as pd

from devias_mm.harness.leaderboard import STATS, leaderboard, unreadable_cells
from devias_mm.harness.results import MethodResults
from devias_mm.harness.suite import Suite

GROUPS = ('unseen', 'seen')


def ladder_table(suite: Suite, results: Sequence[MethodResults], n_resamples: int = 2000,
                 seed: int = 0) -> pd.DataFrame:
    """Compute the ladder's table; its columns are described at the top of this module."""
    rows = []
    for method in suite.methods:
        of_method = [result for result in results if result.method == method]
        if not of_method:
            continue
        row, seen_x, unseen = {'method': method}, [], []
        by_variant = {result.variant: cells for result, (_, cells) in zip(
            of_method, leaderboard(suite, of_method, n_resamples, seed).iterrows())}
        for group in GROUPS:
            for name, variant in suite.variants.items():
                cells = by_variant.get(name)
                for stat in STATS:
                    row[f'{group}@{variant.x:.2f}_{stat}'] = (
                        float('nan') if cells is None else cells[f'action_{group}_{stat}'])
                if group == 'unseen' and cells is not None:
                    seen_x.append(variant.x)
                    unseen.append(cells['action_unseen_mean'])
        row[f'breaking_{suite.variant_axis}'] = breaking_point(seen_x, unseen,
                                                               suite.breaking_accuracy)
        row['n_seeds'] = min(len(result.seeds) for result in of_method)
        row.update(unreadable_cells(of_method))
        rows.append(row)
    return pd.DataFrame(rows)


def breaking_point(x: Sequence[float], accuracy: Sequence[float], threshold: float) -> float:
    """Where a curve first falls below a threshold, linear between its points.

    Args:
        x: positions on the ladder's axis, any order.
        accuracy: accuracy at each, percent.
        threshold: percent.

    Returns:
        float: NaN where it never does (the method breaks beyond the largest
        ``x``, if at all); the smallest ``x`` where it is below from the start.
    """
    order = np.argsort(x)
    x, accuracy = np.asarray(x, dtype=float)[order], np.asarray(accuracy, dtype=float)[order]
    below = np.flatnonzero(accuracy < threshold)
    if below.size == 0:
        return float('nan')
    i = below[0]
    if i == 0:
        return float(x[0])
    share = (accuracy[i - 1] - threshold) / (accuracy[i - 1] - accuracy[i])
    return float(x[i - 1] + share * (x[i] - x[i - 1]))


def ladder_points(table: pd.DataFrame, group: str = 'unseen') -> pd.DataFrame:
    """The curves of a ladder's table in long form: ``method, x, mean, std, lo, hi``."""
    heads: List[str] = [name[:-len('_mean')] for name in table.columns
                        if name.startswith(f'{group}@') and name.endswith('_mean')]
    points = [dict({stat: row[f'{head}_{stat}'] for stat in STATS}, method=row['method'],
                   x=float(head.split('@')[1]))
              for _, row in table.iterrows() for head in heads]
    return pd.DataFrame(points)[['method', 'x', *STATS]]
