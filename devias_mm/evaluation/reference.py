"""The numbers that the papers print, from ``benchmarks/reference/*.csv``."""
from pathlib import Path
from typing import Dict, List, Tuple, Union

import pandas as pd

FOLDER = Path(__file__).resolve().parents[2] / 'benchmarks' / 'reference'
# what a row is about; every other column is a number
SETTINGS = ('table', 'section', 'panel', 'label', 'method', 'setting', 'train_set', 'test_set',
            'backbone', 'pretrain', 'supervision', 'data_scale', 'frames', 'resolution', 'inputs',
            'tokens', 'scene_model', 'scene_labels', 'debiasing_losses', 'linear_probe',
            'positive', 'negative', 'published', 'k', 'action_topk', 'scene_topk')
REQUIRED = ('table', 'section', 'label', 'method', 'train_set', 'backbone', 'pretrain',
            'supervision')
# per suite the tables of a paper that its leaderboard repeats; where two print the same cell
# differently, the first holds
LEADERBOARDS: Dict[str, Tuple[str, ...]] = dict(
    ucf101=('devias_table02', 'devias_table07'),
    kinetics400=('devias_table03', 'devias_table08'),
    hvu=('devias_table04', ),
    hat74=('hat_table01', 'hat_table02'))


def reference_names(folder: Union[str, Path] = FOLDER) -> List[str]:
    """Names of the transcribed tables, such as ``'devias_table02'``."""
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
        ValueError: there is no such table, a column is missing, or a cell is no number.
    """
    path = Path(folder) / f'{name}.csv'
    if not path.is_file():
        known = ', '.join(reference_names(folder)) or f'none in {folder}'
        raise ValueError(f'unknown reference table {name!r}: use one of {known}')
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    missing = [column for column in REQUIRED if column not in table.columns]
    if missing:
        raise ValueError(f'{path} lacks the column(s) {", ".join(missing)}; every table has '
                         f'{", ".join(REQUIRED)}')
    for column in table.columns.difference(SETTINGS):
        try:
            table[column] = pd.to_numeric(table[column].replace('', float('nan')))
        except ValueError as error:
            raise ValueError(f'{path}, column {column!r}: {error}; a cell of it is a number '
                             'or empty') from None
    return table


def reference_rows(dataset: str, folder: Union[str, Path] = FOLDER) -> pd.DataFrame:
    """A paper's rows for the leaderboard of a suite: those whose method the suite has.

    Args:
        dataset: name of the suite: ``'ucf101'``, ``'kinetics400'``, ``'hvu'`` or ``'hat74'``.
        folder: of the CSV files.

    Returns:
        pd.DataFrame: one row a method, in the paper's order: ``method`` (its name in our
        suites), ``label`` (its name in the paper, with the backbone where rows share it),
        ``source`` (such as ``'DEVIAS, Tables 2, 7'``) and the printed columns, named as those
        of ``leaderboard.csv`` without ``_mean``, percent,
        NaN where not printed. Where the main and the comprehensive table print a cell
        differently (the seen action accuracy of Two-Token on Kinetics-400: 75.0 and 75.1),
        it is the main table's.

    Raises:
        ValueError: the paper has no such leaderboard.
    """
    if dataset not in LEADERBOARDS:
        raise ValueError(f'no paper prints a leaderboard of {dataset!r}: use one of '
                         f'{", ".join(LEADERBOARDS)}')
    tables = [read_reference(name, folder) for name in LEADERBOARDS[dataset]]
    tables = [table[table['method'] != ''].set_index('method') for table in tables]
    longest = max(tables, key=len).index  # a comprehensive table has all rows of the main one
    rows = tables[0]
    for table in tables[1:]:
        rows = rows.combine_first(table)
    numbers = [column for table in tables for column in table.columns
               if column not in SETTINGS]
    paper = LEADERBOARDS[dataset][0].split('_')[0].upper()
    sources = {method: f'{paper}, Table' + 's' * (len(found) > 1) + ' ' + ', '.join(found)
               for method in longest
               for found in [[table.at[method, 'table'] for table in tables
                              if method in table.index]]}
    rows = rows.assign(source=pd.Series(sources)).loc[longest].reset_index()
    shared = rows['label'].duplicated(keep=False)
    rows.loc[shared, 'label'] += ' ' + rows.loc[shared, 'backbone']
    return rows[['method', 'label', 'source', *dict.fromkeys(numbers)]]
