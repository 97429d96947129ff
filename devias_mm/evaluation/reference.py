"""The numbers that the papers print, from ``benchmarks/reference/*.csv``."""
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, Mapping, Sequence, Union

import pandas as pd

from devias_mm.errors import UserError

FOLDER = Path(__file__).resolve().parents[2] / 'benchmarks' / 'reference'
# what a row is about; every other column is a number
SETTINGS = ('table', 'section', 'panel', 'label', 'method', 'setting', 'train_set', 'test_set',
            'backbone', 'pretrain', 'supervision', 'data_scale', 'frames', 'resolution', 'inputs',
            'tokens', 'scene_model', 'scene_labels', 'debiasing_losses', 'linear_probe',
            'positive', 'negative', 'published', 'k', 'action_topk', 'scene_topk')
REQUIRED = ('table', 'section', 'label', 'method', 'train_set', 'backbone', 'pretrain',
            'supervision')


@dataclass(frozen=True)
class Reference:
    """A printed table that a suite repeats, and how its names go with the suite's.

    Attributes:
        table: name of the transcribed table, such as ``'devias_table02'``.
        columns: printed column -> metric of the suite, where their names differ. If any is
            given, the other columns are left out.
        rows: method of the suite -> the settings of its printed row, where the table's column
            ``method`` does not tell. If any is given, the other rows are left out.

    Example::

        Reference('devias_table11', columns={'diving48': 'test'},
                  rows={'devias-gap': dict(method='devias', tokens='gap'),
                        'devias': dict(method='devias', tokens='concat')})
    """
    table: str
    columns: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def reference_names(folder: Union[str, Path] = FOLDER) -> List[str]:
    """Return the names of the transcribed tables, such as ``'devias_table02'``."""
    return sorted(path.stem for path in Path(folder).glob('*.csv'))


def read_reference(name: str, folder: Union[str, Path] = FOLDER) -> pd.DataFrame:
    """Read one transcribed table.

    Args:
        name: such as ``'devias_table02'``, see :func:`reference_names`.
        folder: of the CSV files.

    Returns:
        pd.DataFrame: a row per row of the printed table. The columns among ``SETTINGS`` are
        str, ``''`` where the paper says nothing; all others are float64, NaN where the paper
        prints nothing. Accuracies and H.M. are percent, ``bor`` is a ratio, ``*_gain`` are
        percentage points. Columns named as in a leaderboard mean the same.

    Raises:
        UserError: there is no such table, a column is missing, or a cell is no number.
    """
    path = Path(folder) / f'{name}.csv'
    if not path.is_file():
        known = ', '.join(reference_names(folder)) or f'none in {folder}'
        raise UserError(f'unknown reference table {name!r}: use one of {known}')
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    missing = [column for column in REQUIRED if column not in table.columns]
    if missing:
        raise UserError(f'{path} lacks the column(s) {", ".join(missing)}; every table has '
                        f'{", ".join(REQUIRED)}')
    for column in table.columns.difference(SETTINGS):
        try:
            table[column] = pd.to_numeric(table[column].replace('', float('nan')))
        except ValueError as error:
            raise UserError(f'{path}, column {column!r}: {error}; a cell of it is a number '
                            'or empty') from None
    return table


def reference_rows(references: Sequence[Reference], folder: Union[str, Path] = FOLDER
                   ) -> pd.DataFrame:
    """Return the papers' rows that go with the methods of a suite.

    Args:
        references: the printed tables. Where two print the same cell differently (the seen
            action accuracy of Two-Token on Kinetics-400: 75.0 and 75.1), the first holds.
        folder: of the CSV files.

    Returns:
        pd.DataFrame: one row a method, in the order of the longest table: ``method`` (its name
        in the suite), ``label`` (its name in the paper, with the backbone where rows share it),
        ``source`` (such as ``'DEVIAS, Tables 2, 7'``) and the printed columns, under the names
        of the suite's metrics, NaN where not printed.
    """
    if not references:
        return pd.DataFrame(columns=['method', 'label', 'source'])
    tables = [_rows_of(reference, folder) for reference in references]
    rows = tables[0]
    for table in tables[1:]:
        rows = rows.combine_first(table)
    order: Dict[str, None] = {}
    for table in sorted(tables, key=len, reverse=True):
        order.update(dict.fromkeys(table.index))
    rows = rows.loc[list(order)]
    sources = [_source(method, references, tables) for method in rows.index]
    rows = rows.assign(source=sources).reset_index()
    shared = rows['label'].duplicated(keep=False)
    rows.loc[shared, 'label'] += ' ' + rows.loc[shared, 'backbone']
    numbers: Dict[str, None] = {}
    for table in tables:
        numbers.update(dict.fromkeys(table.columns.difference(SETTINGS, sort=False)))
    return rows[['method', 'label', 'source', *numbers]]


def _rows_of(reference: Reference, folder: Union[str, Path]) -> pd.DataFrame:
    """Return the rows of one table that a suite has, indexed by the suite's method."""
    table = read_reference(reference.table, folder)
    if reference.columns:
        settings = table.columns.intersection(SETTINGS, sort=False)
        table = table[[*settings, *reference.columns]].rename(columns=dict(reference.columns))
    if not reference.rows:
        return table[table['method'] != ''].set_index('method')
    found = [_matching_row(reference, table, method) for method in reference.rows]
    rows = pd.concat(found)
    return rows.assign(method=list(reference.rows)).set_index('method')


def _matching_row(reference: Reference, table: pd.DataFrame, method: str) -> pd.DataFrame:
    """Return the one row of a table that has the settings of a method."""
    rows = table
    for setting, value in reference.rows[method].items():
        rows = rows[rows[setting] == value]
    if len(rows) != 1:
        raise UserError(f'{len(rows)} rows of {reference.table} go with {method!r} '
                        f'({dict(reference.rows[method])}): its settings must name one')
    return rows


def _source(method: str, references: Sequence[Reference], tables: Sequence[pd.DataFrame]) -> str:
    """Return where the numbers of a method are printed."""
    papers: Dict[str, List[str]] = {}
    for reference, table in zip(references, tables):
        if method in table.index:
            paper = reference.table.split('_')[0].upper()
            papers.setdefault(paper, []).append(table.at[method, 'table'])
    parts = []
    for paper, numbers in papers.items():
        word = 'Table' if len(numbers) == 1 else 'Tables'
        parts.append(f'{paper}, {word} {", ".join(numbers)}')
    return '; '.join(parts)
