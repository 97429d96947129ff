"""Tables for people: Markdown and LaTeX from the numeric table of a suite."""
from typing import Dict, List, NamedTuple, Optional, Sequence

import pandas as pd

from devias_mm.evaluation.reference import LEADERBOARDS, reference_rows
from devias_mm.harness.leaderboard import MAIN_COLUMNS
from devias_mm.harness.results import MethodResults
from devias_mm.harness.suite import Suite

_HEADINGS = {'action_seen': 'Action seen', 'action_unseen': 'Action unseen',
             'scene_seen': 'Scene seen', 'scene_unseen': 'Scene unseen', 'hm': 'H.M.',
             'action_unseen_all': 'Action unseen', 'scene_unseen_all': 'Scene unseen',
             'hm_all': 'H.M.', 'sberr_unseen': 'SBErr', 'bor': 'BOR', 'hor': 'HOR'}
# what is best when small
_SMALLER_IS_BETTER = ('sberr', 'bor')
_INTERVALS = ('Intervals: 95 %, bootstrap over videos. ± is the standard deviation over seeds, '
              'where there are several.')


class Section(NamedTuple):
    """A part of the table that is shown as one table."""
    heading: str
    columns: Sequence[str]


def sections(suite: Suite, table: pd.DataFrame) -> List[Section]:
    """Columns of a suite's table, in groups that fit a page; empty columns are left out."""
    if suite.variants:
        xs = [f'{variant.x:.2f}' for variant in suite.variants.values()]
        axis = suite.variant_axis
        return [Section(f'Action accuracy on unseen combinations against {axis}',
                        [*(f'unseen@{x}' for x in xs), f'breaking_{axis}']),
                Section(f'Action accuracy on seen combinations against {axis}',
                        [f'seen@{x}' for x in xs])]
    # a set of draws stands for them: the draws are in the CSV
    drawn = set(suite.splits_of(list(suite.sets)))
    shown = [*(split for split in suite.splits if split not in drawn), *suite.sets]
    parts = [Section('', MAIN_COLUMNS),
             Section('Comprehensive protocol', ['action_seen', 'action_unseen_all', 'scene_seen',
                                                'scene_unseen_all', 'hm_all']),
             Section('Action accuracy per split', shown),
             Section('Scene accuracy per split', [f'{name}_scene' for name in shown]),
             Section('Action-swap and ratio metrics (HAT): SBErr in percent and BOR, lower is '
                     'better; SHAcc and HOR, higher is better',
                     ['sberr_unseen', *(f'{metric}_{name}' for name in suite.swap_sets
                                        for metric in ('shacc', 'sberr')), 'bor', 'hor'])]
    filled = {name[:-len('_mean')] for name in table.columns[table.notna().any()]
              if name.endswith('_mean')}
    if 'hm_all_mean' not in table:
        del parts[1]
    kept = [Section(part.heading, [name for name in part.columns if name in filled])
            for part in parts[1:]]
    return [parts[0], *(part for part in kept if part.columns)]


def markdown(suite: Suite, table: pd.DataFrame, notes: Sequence[str] = ()) -> str:
    """The table as Markdown, ranked; best value of a column in bold, notes below."""
    lines = [f'## {suite.title}', '']
    for section in sections(suite, table):
        if section.heading:
            lines += [f'### {section.heading}', '']
        cells = _cells(suite, table, section.columns, bold='**{}**', interval=True)
        lines += [cells.to_markdown(index=False, disable_numparse=True), '']
    printed = printed_rows(suite, table)
    if not printed.empty:
        lines += ['### As printed in the papers (their runs, not ours)', '',
                  printed.to_markdown(index=False, disable_numparse=True), '']
    lines += [_INTERVALS, *([''] if notes else []), *(f'- {note}' for note in notes)]
    return '\n'.join(lines) + '\n'


def printed_rows(suite: Suite, table: pd.DataFrame) -> pd.DataFrame:
    """The papers' own numbers for the methods of a table; empty where no paper has any."""
    if suite.name not in LEADERBOARDS:
        return pd.DataFrame()
    rows = reference_rows(suite.name)
    rows = rows[rows['method'].isin(table['method'])]
    numbers = [name for name in rows.columns.drop(['method', 'label', 'source'])
               if rows[name].notna().any()]
    shown = rows[numbers].map(lambda value: '-' if pd.isna(value) else f'{value:.1f}')
    names = {name: f'{_heading(name)} (scene)' if name.endswith('_scene') else
             f'{_heading(name)} (all)' if name.endswith('_all') else _heading(name)
             for name in numbers}
    shown.insert(0, 'Method', rows['label'])
    return shown.rename(columns=names).assign(Source=rows['source'])


def latex(suite: Suite, table: pd.DataFrame, notes: Sequence[str] = ()) -> str:
    """The first section of the table as LaTeX (needs ``\\usepackage{booktabs}``)."""
    cells = _cells(suite, table, sections(suite, table)[0].columns, bold=r'\textbf{{{}}}',
                   interval=False)
    cells = cells.apply(lambda column: column.map(_escape))
    cells.columns = [_escape(name) for name in cells.columns]
    body = cells.style.hide(axis='index').to_latex(
        hrules=True, column_format='l' + 'c' * (cells.shape[1] - 1))
    comments = [f'% {suite.title}', *(f'% {note}' for note in notes)]
    return '\n'.join(comments) + '\n' + body


def footnotes(suite: Suite, results: Sequence[MethodResults], unfinished: Sequence[str],
              smoke: Optional[Dict[str, object]] = None) -> List[str]:
    """What a reader must know: smoke options, unreadable videos, runs that are not finished."""
    notes = []
    if smoke:
        changed = ', '.join(f'{key}={value}' for key, value in smoke.items())
        notes.append(f'SMOKE RUN, not the benchmark: {changed}.')
    for result in results:
        name = f'{_label(suite, result.method)} {result.variant}'.strip()
        for split, videos in result.unreadable.items():
            if videos:
                shown = ', '.join(videos[:3]) + (', ...' if len(videos) > 3 else '')
                fate = 'left out' if result.on_error == 'skip' else 'counted as wrong'
                notes.append(f'{name}, {split}: {len(videos)} unreadable video(s) {fate} '
                             f'({shown}).')
        if result.missing_seeds:
            notes.append(f'{name}: incomplete, seed(s) '
                         f'{", ".join(map(str, result.missing_seeds))} not finished.')
    if unfinished:
        notes.append(f'No finished run yet: {", ".join(unfinished)}.')
    return notes


def ranked(suite: Suite, table: pd.DataFrame) -> pd.DataFrame:
    """Rows by H.M., then by unseen action accuracy; on a ladder by where a method breaks."""
    if suite.variants:
        last = [name for name in table if name.startswith('unseen@') and name.endswith('_mean')]
        keys = table[[f'breaking_{suite.variant_axis}', *last[::-1]]]
        # never breaking is best
        keys = keys.fillna({keys.columns[0]: float('inf')})
    else:
        keys = table[['hm_mean', 'action_unseen_mean', 'scene_unseen_mean']]
    order = keys.sort_values(list(keys), ascending=False, na_position='last', kind='stable')
    return table.loc[order.index]


def _cells(suite: Suite, table: pd.DataFrame, columns: Sequence[str], bold: str,
           interval: bool) -> pd.DataFrame:
    table = ranked(suite, table)
    shown = {'Method': [_label(suite, name) for name in table['method']],
             'Seeds': [str(int(count)) for count in table['n_seeds']]}
    for name in columns:
        if name.startswith('breaking_'):
            shown[name.replace('_', ' ')] = [_breaking(suite, value) for value in table[name]]
            continue
        digits = 2 if name in ('bor', 'hor') else 1
        values = table[f'{name}_mean'].round(digits)
        best = values.min() if name.startswith(_SMALLER_IS_BETTER) else values.max()
        shown[_heading(name)] = [
            _cell(row, name, digits, interval, bold if value == best else '{}')
            for (_, row), value in zip(table.iterrows(), values)]
    return pd.DataFrame(shown)


def _cell(row: pd.Series, name: str, digits: int, interval: bool, style: str) -> str:
    mean, std, lo, hi = (row[f'{name}_{stat}'] for stat in ('mean', 'std', 'lo', 'hi'))
    if pd.isna(mean):
        return '-'
    text = style.format(f'{mean:.{digits}f}')
    if pd.notna(std):
        text += f' ± {std:.{digits}f}'
    return text + (f' [{lo:.{digits}f}, {hi:.{digits}f}]' if interval else '')


def _breaking(suite: Suite, value: float) -> str:
    xs = sorted(variant.x for variant in suite.variants.values())
    if pd.isna(value):
        return f'> {xs[-1]:.2f}'
    return f'<= {xs[0]:.2f}' if value <= xs[0] else f'{value:.2f}'


def _heading(name: str) -> str:
    for metric in ('shacc', 'sberr'):
        if name.startswith(f'{metric}_') and name not in _HEADINGS:
            return f"{dict(shacc='SHAcc', sberr='SBErr')[metric]} {name[len(metric) + 1:]}"
    if name.endswith('_scene'):
        name = name[:-len('_scene')]
    return _HEADINGS.get(name, name)


def _label(suite: Suite, method: str) -> str:
    return suite.methods[method].label or method


def _escape(text: str) -> str:
    for plain, code in (('_', r'\_'), ('%', r'\%'), ('&', r'\&'), ('±', r'$\pm$'),
                        ('<=', r'$\le$'), ('>', r'$>$')):
        text = text.replace(plain, code)
    return text
