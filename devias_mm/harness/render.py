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
DAGGER = '†'  # of rows with unreadable videos
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
                     'better; SHAcc and HOR, higher is better' + _over_draws(table),
                     ['sberr_unseen', *(f'{metric}_{name}' for name in suite.swap_sets
                                        for metric in ('shacc', 'sberr')), 'bor', 'hor']),
             Section('Contrasted accuracy (StillMix): SCUBA clips that are right while one frame '
                     'of them, repeated, is wrong', list(suite.contrasts))]
    filled = {name[:-len('_mean')] for name in table.columns[table.notna().any()]
              if name.endswith('_mean')}
    if 'hm_all_mean' not in table:
        del parts[1]
    kept = [Section(part.heading, [name for name in part.columns if name in filled])
            for part in parts[1:]]
    return [parts[0], *(part for part in kept if part.columns)]


def _over_draws(table: pd.DataFrame) -> str:
    """What else to say of HAT's metrics where there are sets of draws."""
    shown = table.filter(regex='_split_std$').notna().any(axis=None)
    return '; ± is the standard deviation over the draws of a set' if shown else ''


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
               if rows[name].notna().any() and not name.endswith('_split_std')]
    shown = pd.DataFrame({name: [_printed(row, name) for _, row in rows.iterrows()]
                          for name in numbers}, index=rows.index)
    names = {name: f'{_heading(name)} (scene)' if name.endswith('_scene') else
             f'{_heading(name)} (all)' if name.endswith('_all') else _heading(name)
             for name in numbers}
    shown.insert(0, 'Method', rows['label'])
    return shown.rename(columns=names).assign(Source=rows['source'])


def _printed(row: pd.Series, name: str) -> str:
    if pd.isna(row[name]):
        return '-'
    std = row.get(f'{name}_split_std')
    return f'{row[name]:.{_digits(name)}f}' + ('' if pd.isna(std) else f' ± {std:.1f}')


def _digits(name: str) -> int:
    return 2 if name in ('bor', 'hor') else 1


def latex(suite: Suite, table: pd.DataFrame, notes: Sequence[str] = ()) -> str:
    """The sections of the table as LaTeX (needs ``\\usepackage{booktabs}``), the notes below.

    Those on unreadable videos are part of the text, the others are comments.
    """
    lines = [f'% {suite.title}', *(f'% {note}' for note in notes)]
    for section in sections(suite, table):
        cells = _cells(suite, table, section.columns, bold=r'\textbf{{{}}}', interval=False)
        cells = cells.apply(lambda column: column.map(_escape))
        cells.columns = [_escape(name) for name in cells.columns]
        lines += [f'% {section.heading}'] if section.heading else []
        lines.append(cells.style.hide(axis='index').to_latex(
            hrules=True, column_format='l' + 'c' * (cells.shape[1] - 1)))
    lines += [rf'\par{{\footnotesize {_escape(note)}}}' for note in notes if note[0] == DAGGER]
    return '\n'.join(lines).rstrip('\n') + '\n'


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
                fate, lower = 'left out', ''
                if result.on_error != 'skip':
                    fate, lower = 'counted as wrong', _lowered(suite, split)
                notes.append(f'{DAGGER} {name}, {split}: {len(videos)} unreadable video(s) {fate} '
                             f'({shown}){lower}.')
        if result.missing_seeds:
            notes.append(f'{name}: incomplete, seed(s) '
                         f'{", ".join(map(str, result.missing_seeds))} not finished.')
    unlabelled = _without_scene_labels(suite, results)
    if unlabelled:
        remedy = f'run {suite.scene_label_command}' if suite.scene_label_command else \
            'name a `scene_label_file` for them (docs/scenes_and_masks.md)'
        notes.append(f'No scene labels for {", ".join(unlabelled)}, and so no scene accuracy: '
                     f'{remedy}, delete `test.done` in the run folders, and test again.')
    if unfinished:
        notes.append(f'No finished run yet: {", ".join(unfinished)}.')
    return notes


def _lowered(suite: Suite, split: str) -> str:
    """Which metrics that are best when small an unreadable video of a split lowers."""
    swapped = split in suite.splits_of([*suite.swap_sets, *suite.sberr_splits])
    metric = 'SBErr' if swapped else 'BOR' if split == suite.background_only else ''
    return f', which lowers {metric} (lower is better), too' if metric else ''


def _without_scene_labels(suite: Suite, results: Sequence[MethodResults]) -> List[str]:
    """Splits and sets of the scene columns that methods were tested on without labels."""
    results = [result for result in results if 'scene' in suite.methods[result.method].predicts]
    parts = dict.fromkeys([*suite.scene_seen, *suite.scene_unseen, *suite.scene_unseen_all])
    return [part for part in parts if results and all(
        result.per_video(split, 'scene').isna().all()
        for result in results for split in suite.splits_of((part, )))]


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
    marks = [f' {DAGGER}' if count else '' for count in table['n_unreadable']]
    shown = {'Method': [_label(suite, name) + mark
                        for name, mark in zip(table['method'], marks)],
             'Seeds': [str(int(count)) for count in table['n_seeds']]}
    for name in columns:
        if name.startswith('breaking_'):
            shown[name.replace('_', ' ')] = [_breaking(suite, value) for value in table[name]]
            continue
        digits = _digits(name)
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
    # HAT prints the spread over the draws of a set, not over seeds
    std = row.get(f'{name}_split_std', std)
    if pd.notna(std):
        text += f' ± {std:.{digits}f}'
    # a ratio has none where draws of few videos have nothing to divide by
    return text + (f' [{lo:.{digits}f}, {hi:.{digits}f}]' if interval and pd.notna(lo) else '')


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
                        (f' {DAGGER}', r'$^\dagger$'), (DAGGER, r'$^\dagger$'),
                        ('<=', r'$\le$'), ('>', r'$>$')):
        text = text.replace(plain, code)
    return text
