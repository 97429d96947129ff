"""Tables for people: Markdown and LaTeX from the numeric table of a suite."""
from typing import Callable, List, NamedTuple, Sequence

import pandas as pd

from devias_mm.evaluation.metrics import Metric
from devias_mm.harness import escape
from devias_mm.harness.ladder import breaking_column, ladder_metrics
from devias_mm.harness.notes import DAGGER
from devias_mm.harness.papers import compare_with_papers, printed_metrics, printed_rows
from devias_mm.harness.suite import Suite

PAPERS = 'As printed in the papers (their runs, not ours); in brackets: ours - paper'
_INTERVALS = ('Intervals: 95 %, bootstrap over videos. ± is the standard deviation over seeds, '
              'where there are several.')
_OVER_DRAWS = '; ± is the standard deviation over the draws of a set'


class Section(NamedTuple):
    """A part of the table that is shown as one table.

    Attributes:
        heading: empty for the main one.
        metrics: its columns.
        breaking: whether a column says where a method breaks.
    """
    heading: str
    metrics: Sequence[Metric]
    breaking: bool = False


class Form(NamedTuple):
    """How cells are written.

    Attributes:
        escape: makes a text from a config or list harmless.
        bold: of the best value.
        dagger: after the name of a row with unreadable videos.
        interval: whether intervals are shown.
    """
    escape: Callable[[str], str]
    bold: str
    dagger: str
    interval: bool


class Cells(NamedTuple):
    """A table of text."""
    headings: List[str]
    rows: List[List[str]]


MARKDOWN = Form(escape.markdown, '**{}**', f' {DAGGER}', interval=True)
LATEX = Form(escape.latex, r'\textbf{{{}}}', r'$^\dagger$', interval=False)


def sections(suite: Suite, table: pd.DataFrame) -> List[Section]:
    """Return the parts of a suite's table; columns without any number are left out."""
    if suite.ladder:
        return _ladder_sections(suite)
    metrics = [metric for metric in suite.protocol.columns if metric.section is not None]
    headings = list(dict.fromkeys(metric.section for metric in metrics))
    parts = []
    for heading in headings:
        own = [metric for metric in metrics if metric.section == heading]
        filled = [metric for metric in own if table[f'{metric.name}_mean'].notna().any()]
        if heading == headings[0]:
            filled = own
        if any(_has_spread(table, metric) for metric in filled):
            heading += _OVER_DRAWS
        if filled:
            parts.append(Section(heading, filled))
    return parts


def ranked(suite: Suite, table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows as the protocol ranks them; on a ladder by where a method breaks."""
    if suite.ladder:
        keys = _ladder_keys(suite, table)
    else:
        keys = pd.DataFrame(index=table.index)
        for name in suite.protocol.rank_by:
            if f'{name}_mean' in table:
                sign = 1 if suite.protocol.metric(name).higher_is_better else -1
                keys[name] = sign * table[f'{name}_mean']
    if keys.empty:
        return table
    order = keys.sort_values(list(keys), ascending=False, na_position='last', kind='stable')
    return table.loc[order.index]


def markdown(suite: Suite, table: pd.DataFrame, notes: Sequence[str] = ()) -> str:
    """Return the table as Markdown, ranked; best value of a column in bold, notes below."""
    lines = [f'## {escape.markdown(suite.title)}', '']
    for section in sections(suite, table):
        if section.heading:
            lines += [f'### {escape.markdown(section.heading)}', '']
        lines += [_markdown_table(_section_cells(suite, table, section, MARKDOWN)), '']
    printed = papers_cells(suite, table, MARKDOWN)
    if printed.rows:
        lines += [f'### {PAPERS}', '', _markdown_table(printed), '']
    lines.append(_INTERVALS)
    if notes:
        lines += ['', *(f'- {escape.markdown(note)}' for note in notes)]
    return '\n'.join(lines) + '\n'


def latex(suite: Suite, table: pd.DataFrame, notes: Sequence[str] = ()) -> str:
    """Return the sections as LaTeX (needs ``\\usepackage{booktabs}``), the notes below.

    Notes on unreadable videos are part of the text, the others are comments.
    """
    comments = [suite.title, *notes]
    lines = [f'% {escape.one_line(comment)}' for comment in comments]
    for section in sections(suite, table):
        if section.heading:
            lines.append(f'% {escape.one_line(section.heading)}')
        lines.append(_latex_table(_section_cells(suite, table, section, LATEX)))
    printed = papers_cells(suite, table, LATEX)
    if printed.rows:
        lines += [f'% {PAPERS}', _latex_table(printed)]
    for note in notes:
        if note.startswith(DAGGER):
            lines.append(rf'\par{{\footnotesize {escape.latex(note)}}}')
    return '\n'.join(lines) + '\n'


def papers_cells(suite: Suite, table: pd.DataFrame, form: Form) -> Cells:
    """Return the papers' rows for the methods of a table, and ours - paper in brackets."""
    rows = printed_rows(suite, table)
    compared = compare_with_papers(suite, table)
    metrics = printed_metrics(suite, rows)
    headings = ['Method', *(metric.heading for metric in metrics), 'Source']
    lines = []
    for number, row in rows.iterrows():
        cells = [row['label']]
        for metric in metrics:
            difference = compared.at[number, f'{metric.name}_ours_minus_paper']
            cells.append(_printed_cell(row, metric, difference))
        lines.append([form.escape(cell) for cell in (*cells, row['source'])])
    return Cells([form.escape(heading) for heading in headings], lines)


def _ladder_sections(suite: Suite) -> List[Section]:
    """Return one table for each curve; the first one says where methods break."""
    parts = []
    for curve, name in suite.ladder.curves.items():
        heading = f'{suite.protocol.metric(name).heading} against {suite.ladder.axis}'
        parts.append(Section(heading, ladder_metrics(suite, curve), breaking=not parts))
    return parts


def _ladder_keys(suite: Suite, table: pd.DataFrame) -> pd.DataFrame:
    """Return what ranks the rows of a ladder: where they break, then the hardest settings."""
    first = next(iter(suite.ladder.curves))
    columns = [f'{metric.name}_mean' for metric in ladder_metrics(suite, first)]
    # never breaking is best
    breaking = table[breaking_column(suite.ladder)].fillna(float('inf'))
    return pd.concat([breaking, table[columns[::-1]]], axis=1)


def _has_spread(table: pd.DataFrame, metric: Metric) -> bool:
    """Return whether a metric has a spread over the draws of a set."""
    column = f'{metric.name}_split_std'
    return column in table and bool(table[column].notna().any())


def _section_cells(suite: Suite, table: pd.DataFrame, section: Section, form: Form) -> Cells:
    """Return the rows of a section, ranked."""
    table = ranked(suite, table)
    columns = [_names(suite, table, form), [str(int(count)) for count in table['n_seeds']]]
    headings = ['Method', 'Seeds']
    for metric in section.metrics:
        headings.append(form.escape(metric.heading))
        columns.append(_metric_cells(table, metric, form))
    if section.breaking:
        values = table[breaking_column(suite.ladder)]
        headings.append(form.escape(f'breaking {suite.ladder.axis}'))
        columns.append([form.escape(_breaking_cell(suite, value)) for value in values])
    return Cells(headings, [list(row) for row in zip(*columns)])


def _names(suite: Suite, table: pd.DataFrame, form: Form) -> List[str]:
    """Return the labels of the rows, with a dagger where videos were unreadable."""
    names = []
    for method, unreadable in zip(table['method'], table['n_unreadable']):
        name = form.escape(suite.methods[method].label or method)
        if unreadable:
            name += form.dagger
        names.append(name)
    return names


def _metric_cells(table: pd.DataFrame, metric: Metric, form: Form) -> List[str]:
    """Return the cells of a metric's column, the best value in bold."""
    values = table[f'{metric.name}_mean'].astype(float).round(metric.digits)
    best = values.max() if metric.higher_is_better else values.min()
    cells = []
    for (_, row), value in zip(table.iterrows(), values):
        style = form.bold if value == best else '{}'
        cells.append(_cell(row, metric, style, form))
    return cells


def _cell(row: pd.Series, metric: Metric, style: str, form: Form) -> str:
    """Return a value with its spread, and its interval where these are shown."""
    name, digits = metric.name, metric.digits
    if pd.isna(row[f'{name}_mean']):
        return '-'
    mean, std = row[f'{name}_mean'], row[f'{name}_std']
    low, high = row[f'{name}_lo'], row[f'{name}_hi']
    text = style.format(f'{mean:.{digits}f}')
    if metric.over_draws:
        std = row.get(f'{name}_split_std', std)
    if pd.notna(std):
        text += form.escape(f' ± {std:.{digits}f}')
    # a ratio has none where draws of few videos have nothing to divide by
    if form.interval and pd.notna(low):
        text += f' [{low:.{digits}f}, {high:.{digits}f}]'
    return text


def _breaking_cell(suite: Suite, value: float) -> str:
    """Return where a method breaks, or that it does so beyond the ends of the ladder."""
    xs = sorted(variant.x for variant in suite.variants.values())
    if pd.isna(value):
        return f'> {xs[-1]:.2f}'
    if value <= xs[0]:
        return f'<= {xs[0]:.2f}'
    return f'{value:.2f}'


def _printed_cell(row: pd.Series, metric: Metric, difference: float) -> str:
    """Return a printed number with its spread, and ours - paper where there is ours."""
    if pd.isna(row[metric.name]):
        return '-'
    text = f'{row[metric.name]:.{metric.digits}f}'
    std = row.get(f'{metric.name}_split_std')
    if std is not None and pd.notna(std):
        text += f' ± {std:.1f}'
    if pd.notna(difference):
        text += f' ({difference:+.{metric.digits}f})'
    return text


def _markdown_table(cells: Cells) -> str:
    from tabulate import tabulate
    return tabulate(cells.rows, cells.headings, tablefmt='pipe', disable_numparse=True)


def _latex_table(cells: Cells) -> str:
    lines = [rf'\begin{{tabular}}{{l{"c" * (len(cells.headings) - 1)}}}', r'\toprule',
             ' & '.join(cells.headings) + r' \\', r'\midrule']
    lines += [' & '.join(row) + r' \\' for row in cells.rows]
    return '\n'.join([*lines, r'\bottomrule', r'\end{tabular}'])
