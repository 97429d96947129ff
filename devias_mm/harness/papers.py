"""The papers' own numbers beside those of a suite's table."""
from typing import List

import pandas as pd

from devias_mm.evaluation.metrics import Metric
from devias_mm.evaluation.reference import reference_rows
from devias_mm.harness.suite import Suite


def printed_rows(suite: Suite, table: pd.DataFrame) -> pd.DataFrame:
    """Return the papers' rows for the methods of a table; empty where no paper has any.

    Args:
        suite: names the papers' tables.
        table: from :func:`devias_mm.harness.leaderboard.leaderboard`.

    Returns:
        pd.DataFrame: see :func:`devias_mm.evaluation.reference.reference_rows`.
    """
    rows = reference_rows(suite.protocol.references)
    return rows[rows['method'].isin(table['method'])].reset_index(drop=True)


def printed_metrics(suite: Suite, rows: pd.DataFrame) -> List[Metric]:
    """Return the metrics of which the papers' rows hold a number."""
    return [metric for metric in suite.protocol.metrics
            if metric.name in rows and rows[metric.name].notna().any()]


def compare_with_papers(suite: Suite, table: pd.DataFrame) -> pd.DataFrame:
    """Return the papers' numbers, ours, and ours - paper, for the methods of a table.

    Args:
        suite: names the papers' tables.
        table: from :func:`devias_mm.harness.leaderboard.leaderboard`.

    Returns:
        pd.DataFrame: one row a method: ``method``, ``label`` and ``source`` in the paper, and of
        each metric ``<metric>_paper``, ``<metric>_ours`` and ``<metric>_ours_minus_paper``.
    """
    rows = printed_rows(suite, table)
    own = table.set_index('method').reindex(rows['method'])
    compared = rows[['method', 'label', 'source']].copy()
    for metric in printed_metrics(suite, rows):
        paper = rows[metric.name]
        ours = float('nan')
        if f'{metric.name}_mean' in own:
            ours = own[f'{metric.name}_mean'].to_numpy(dtype=float)
        compared[f'{metric.name}_paper'] = paper
        compared[f'{metric.name}_ours'] = ours
        compared[f'{metric.name}_ours_minus_paper'] = ours - paper
    return compared
