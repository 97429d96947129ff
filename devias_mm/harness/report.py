"""The written form of a suite's results: CSV, Markdown and LaTeX."""
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Dict, List, Optional, Sequence

import pandas as pd

from devias_mm.files import atomic_path, write_text
from devias_mm.harness import render
from devias_mm.harness.ladder import ladder_table
from devias_mm.harness.leaderboard import leaderboard
from devias_mm.harness.notes import footnotes
from devias_mm.harness.papers import compare_with_papers
from devias_mm.harness.results import MethodResults, without_results
from devias_mm.harness.suite import Suite

if TYPE_CHECKING:  # MMEngine's configs are not needed to read results
    from devias_mm.harness.plan import Job


@dataclass(frozen=True)
class Report:
    """A suite's table.

    Attributes:
        table: one row per method, numeric.
        papers: the papers' numbers, ours, and ours - paper; empty where no paper has any.
        notes: footnotes.
        markdown, latex: for people.
    """
    table: pd.DataFrame
    papers: pd.DataFrame
    notes: List[str]
    markdown: str
    latex: str


def make_report(suite: Suite, jobs: Sequence['Job'], results: Sequence[MethodResults],
                smoke: Optional[Dict[str, object]] = None) -> Report:
    """Compute the table of a suite from its collected results."""
    make_table = ladder_table if suite.ladder else leaderboard
    table = make_table(suite, results)
    notes = footnotes(suite, results, without_results(jobs, results), smoke)
    return Report(table, compare_with_papers(suite, table), notes,
                  render.markdown(suite, table, notes), render.latex(suite, table, notes))


def write_report(report: Report, folder: Path) -> List[Path]:
    """Write ``leaderboard.csv``, ``.md`` and ``.tex`` into a folder; return their paths.

    Where papers print numbers of the methods, also ``papers.csv``.
    """
    paths = [Path(folder) / f'leaderboard.{suffix}' for suffix in ('csv', 'md', 'tex')]
    _write_csv(report.table, paths[0])
    write_text(paths[1], report.markdown)
    write_text(paths[2], report.latex)
    if len(report.papers):
        paths.append(Path(folder) / 'papers.csv')
        _write_csv(report.papers, paths[3])
    return paths


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False, float_format='%.4f')
