"""The written form of a suite's results: CSV, Markdown and LaTeX."""
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional, Sequence

import pandas as pd

from devias_mm.files import atomic_path, write_text
from devias_mm.harness import render
from devias_mm.harness.ladder import ladder_table
from devias_mm.harness.leaderboard import leaderboard
from devias_mm.harness.results import MethodResults, without_results
from devias_mm.harness.runs import Run
from devias_mm.harness.suite import Suite


@dataclass(frozen=True)
class Report:
    """A suite's table.

    Attributes:
        table: one row per method, numeric.
        notes: footnotes.
        markdown, latex: for people.
    """
    table: pd.DataFrame
    notes: List[str]
    markdown: str
    latex: str


def make_report(suite: Suite, runs: Sequence[Run], results: Sequence[MethodResults],
                smoke: Optional[Dict[str, object]] = None) -> Report:
    """Compute the table of a suite from its collected results."""
    table = (ladder_table if suite.variants else leaderboard)(suite, results)
    notes = render.footnotes(suite, results, without_results(runs, results), smoke)
    return Report(table, notes, render.markdown(suite, table, notes),
                  render.latex(suite, table, notes))


def write_report(report: Report, folder: Path) -> List[Path]:
    """Write ``leaderboard.csv``, ``.md`` and ``.tex``; returns their paths."""
    paths = [Path(folder) / f'leaderboard.{suffix}' for suffix in ('csv', 'md', 'tex')]
    with atomic_path(paths[0]) as temporary:
        report.table.to_csv(temporary, index=False, float_format='%.4f')
    write_text(paths[1], report.markdown)
    write_text(paths[2], report.latex)
    return paths
