"""The table of a ladder suite: accuracy at each setting, and where a method breaks.

Columns of ``leaderboard.csv``: ``method``; ``<curve>@<x>`` for every curve and variant, such as
``unseen@0.90`` (percent, each as ``_mean``, ``_std``, ``_lo``, ``_hi``, see
:mod:`devias_mm.harness.leaderboard`); ``breaking_<axis>``; ``n_seeds``, the smallest number of
finished seeds of a variant; ``n_unreadable`` and ``on_error``, as there.
"""
from dataclasses import replace
from typing import Any, Dict, List, Sequence

import numpy as np
import pandas as pd

from devias_mm.evaluation.metrics import Metric
from devias_mm.harness.leaderboard import STATS, leaderboard, unreadable_cells
from devias_mm.harness.protocol import Ladder, Variant
from devias_mm.harness.results import MethodResults
from devias_mm.harness.suite import Suite


def ladder_table(suite: Suite, results: Sequence[MethodResults], n_resamples: int = 2000,
                 seed: int = 0) -> pd.DataFrame:
    """Compute the ladder's table; its columns are described at the top of this module."""
    rows = []
    for method in suite.methods:
        own = [result for result in results if result.method == method]
        if own:
            table = leaderboard(suite, own, n_resamples, seed)
            table.index = [result.variant for result in own]
            rows.append(_row(suite.ladder, method, table, own))
    return pd.DataFrame(rows)


def ladder_metrics(suite: Suite, curve: str) -> List[Metric]:
    """Return the columns of one curve, to be shown like metrics."""
    metric = suite.protocol.metric(suite.ladder.curves[curve])
    names = [curve_column(curve, variant) for variant in suite.variants.values()]
    return [replace(metric, name=name, heading=name) for name in names]


def curve_column(curve: str, variant: Variant) -> str:
    """Return the name of a curve's column, without ``_mean``."""
    return f'{curve}@{variant.x:.2f}'


def breaking_column(ladder: Ladder) -> str:
    """Return the name of the column that says where a method breaks."""
    return f'breaking_{ladder.axis}'


def breaking_point(x: Sequence[float], accuracy: Sequence[float], threshold: float) -> float:
    """Return where a curve first falls below a threshold, linear between its points.

    Args:
        x: positions on the ladder's axis, any order.
        accuracy: accuracy at each, percent.
        threshold: percent.

    Returns:
        float: NaN where it never does (the method breaks beyond the largest
        ``x``, if at all); the smallest ``x`` where it is below from the start.
    """
    order = np.argsort(x)
    x = np.asarray(x, dtype=float)[order]
    accuracy = np.asarray(accuracy, dtype=float)[order]
    below = np.flatnonzero(accuracy < threshold)
    if below.size == 0:
        return float('nan')
    first = below[0]
    if first == 0:
        return float(x[0])
    segment = slice(first - 1, first + 1)
    # np.interp wants what it looks up in to ascend
    return float(np.interp(threshold, accuracy[segment][::-1], x[segment][::-1]))


def ladder_points(suite: Suite, table: pd.DataFrame, curve: str) -> pd.DataFrame:
    """Return a curve of a ladder's table in long form: ``method, x, mean, std, lo, hi``."""
    points = []
    for variant in suite.variants.values():
        column = curve_column(curve, variant)
        cells = table[[f'{column}_{stat}' for stat in STATS]].set_axis(STATS, axis=1)
        points.append(cells.assign(method=table['method'], x=variant.x))
    # all points of a method together, as in the table
    together = pd.concat(points).sort_index(kind='stable')
    return together[['method', 'x', *STATS]].reset_index(drop=True)


def _row(ladder: Ladder, method: str, table: pd.DataFrame, results: Sequence[MethodResults]
         ) -> Dict[str, Any]:
    """Return one method's row from the leaderboard over its variants."""
    row: Dict[str, Any] = {'method': method}
    for curve, metric in ladder.curves.items():
        for name, variant in ladder.variants.items():
            for stat in STATS:
                value = float('nan')
                if name in table.index:
                    value = table.at[name, f'{metric}_{stat}']
                row[f'{curve_column(curve, variant)}_{stat}'] = value
    first = next(iter(ladder.curves.values()))
    xs = [ladder.variants[name].x for name in table.index]
    row[breaking_column(ladder)] = breaking_point(xs, table[f'{first}_mean'],
                                                  ladder.breaking_accuracy)
    row['n_seeds'] = min(len(result.seeds) for result in results)
    row.update(unreadable_cells(results))
    return row
