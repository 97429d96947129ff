"""Figures of a suite, drawn from its numeric table (see ``harness/leaderboard.py``)."""
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from devias_mm.evaluation.metrics import MAIN, Metric
from devias_mm.harness import escape
from devias_mm.harness.ladder import ladder_points
from devias_mm.harness.render import ranked
from devias_mm.harness.style import GREY, apply_style, method_styles, save_figure
from devias_mm.harness.suite import Suite


def plot_report(suite: Suite, table: pd.DataFrame, folder: Path) -> List[Path]:
    """Draw all figures of a suite as PDF and PNG.

    Args:
        suite: names and order of its methods, and its metrics.
        table: from :func:`devias_mm.harness.report.make_report`, or its CSV read back.
        folder: where the files go.

    Returns:
        list[Path]: the files: ``ladder`` for a suite with variants, else
        ``ranking`` and, where a method has both metrics of a scatter plot of the protocol,
        ``seen_unseen``.
    """
    apply_style()
    labels = {name: escape.plot(method.label or name) for name, method in suite.methods.items()}
    if suite.ladder:
        curve = next(iter(suite.ladder.curves))
        figures = {'ladder': ladder_curves(ladder_points(suite, table, curve), labels,
                                           suite.ladder.axis, suite.ladder.breaking_accuracy)}
    else:
        metrics = [metric for metric in suite.protocol.columns if metric.section == MAIN]
        figures = {'ranking': ranked_bars(ranked(suite, table), metrics, labels),
                   'seen_unseen': scatter(table, suite.protocol.scatter, labels)}
    paths = []
    for name, figure in figures.items():
        if figure is not None:
            paths += save_figure(figure, Path(folder) / name)
    return paths


def ranked_bars(table: pd.DataFrame, metrics: Sequence[Metric], labels: Mapping[str, str]
                ) -> Optional[Figure]:
    """Draw bars with intervals: a panel per metric, methods from top to bottom as in ``table``.

    Returns:
        Figure: ``None`` where no metric has a value.
    """
    metrics = [metric for metric in metrics if table[f'{metric.name}_mean'].notna().any()]
    if not metrics:
        return None
    styles = method_styles(list(labels))
    figure, axes = plt.subplots(1, len(metrics), sharey=True, squeeze=False,
                                figsize=(1.4 + 1.55 * len(metrics), 0.9 + 0.34 * len(table)))
    rows = np.arange(len(table))
    for axis, metric in zip(axes[0], metrics):
        mean = table[f'{metric.name}_mean'].to_numpy(dtype=float)
        high = table[f'{metric.name}_hi'].to_numpy(dtype=float)
        given = ~np.isnan(mean)
        colours = [styles[method][0] for method in table['method'][given]]
        axis.barh(rows[given], mean[given], height=0.7, xerr=_errors(table[given], metric.name),
                  color=colours, error_kw=dict(ecolor='0.2', elinewidth=1, capsize=2))
        for row in rows:
            _write_value(axis, row, mean[row], high[row], metric.digits)
        axis.set(title=escape.plot(metric.heading), xlim=(0, 103), xticks=(0, 50, 100))
        axis.tick_params(axis='y', length=0)
    axes[0, 0].set_yticks(rows, [labels[method] for method in table['method']])
    axes[0, 0].set_ylim(len(table) - 0.4, -0.6)
    figure.supxlabel('accuracy (%), 95 % intervals', fontsize='small')
    return figure


def scatter(table: pd.DataFrame, pairs: Mapping[str, Tuple[str, str]], labels: Mapping[str, str]
            ) -> Optional[Figure]:
    """Draw metrics against others with intervals, such as unseen against seen accuracy.

    Args:
        table: the leaderboard.
        pairs: title of a panel -> the metrics of its axes.
        labels: method -> name, in the order of colours.

    Returns:
        Figure: ``None`` where no method has both metrics of a pair.
    """
    panels = {}
    for title, (x, y) in pairs.items():
        columns = [f'{x}_mean', f'{y}_mean']
        if set(columns) <= set(table):
            rows = table[table[columns].notna().all(axis=1)]
            if len(rows):
                panels[title] = rows
    if not panels:
        return None
    styles = method_styles(list(labels))
    figure, axes = plt.subplots(1, len(panels), squeeze=False, figsize=(4.6 * len(panels), 3.6))
    for axis, (title, rows) in zip(axes[0], panels.items()):
        x, y = pairs[title]
        points = {}
        for number, row in rows.iterrows():
            colour, marker = styles[row['method']]
            own = rows.loc[[number]]
            points[row['method']] = row[f'{x}_mean'], row[f'{y}_mean']
            axis.errorbar(*points[row['method']], xerr=_errors(own, x), yerr=_errors(own, y),
                          fmt=marker, color=colour, markersize=7, elinewidth=1, capsize=2,
                          markeredgecolor='white')
        low = np.floor(rows[f'{x}_lo'].astype(float).min() / 5) * 5 - 5
        axis.set(title=title, xlim=(max(0.0, low), 101), ylim=(-3, 103),
                 xlabel='seen combinations (%)', ylabel='unseen combinations (%)')
        axis.plot([0, 100], [0, 100], color=GREY, linewidth=0.8, linestyle=':', zorder=0)
        axis.grid(alpha=0.3)
        _label_right(axis, points, labels, styles)
    return figure


def ladder_curves(points: pd.DataFrame, labels: Mapping[str, str], axis_name: str = 'rho',
                  threshold: float = 80.0) -> Figure:
    """Draw accuracy on unseen combinations against the ladder's axis, with intervals.

    Args:
        points: long form: ``method, x, mean, std, lo, hi`` (percent).
        labels: method -> name, in the order of colours.
        axis_name: name of ``x``.
        threshold: the accuracy below which a method counts as broken.
    """
    styles = method_styles(list(labels))
    figure, axis = plt.subplots(figsize=(6.4, 3.6))
    ends = {}
    for method, curve in points.dropna(subset=['mean']).groupby('method', sort=False):
        curve = curve.sort_values('x')
        colour, marker = styles[method]
        axis.plot(curve['x'], curve['mean'], color=colour, marker=marker, markersize=5)
        axis.fill_between(curve['x'], curve['lo'], curve['hi'], color=colour, alpha=0.18,
                          linewidth=0)
        ends[method] = (curve['x'].iloc[-1], curve['mean'].iloc[-1])
    axis.axhline(threshold, color=GREY, linewidth=0.8, linestyle='--')
    axis.text(points['x'].min(), threshold - 1.5, f'breaks below {threshold:g} %', va='top',
              fontsize='x-small', color='0.35')
    symbol = r'$\rho$' if axis_name == 'rho' else escape.plot(axis_name)
    axis.set(xlabel=f'action-scene correlation {symbol} in training', ylim=(-3, 103),
             ylabel='accuracy on unseen (%)', xticks=sorted(points['x'].unique()))
    axis.grid(alpha=0.3)
    _label_right(axis, ends, labels, styles)
    return figure


def _write_value(axis: Axes, row: int, mean: float, high: float, digits: int) -> None:
    """Write a value at the foot of its bar, where it meets neither the interval nor the frame."""
    if np.isnan(mean):
        axis.text(3, row, 'not predicted', va='center', fontsize='x-small', color=GREY)
    elif mean > 30:
        axis.text(3, row, f'{mean:.{digits}f}', va='center', fontsize='x-small', color='white')
    else:
        axis.text(max(mean, high) + 3, row, f'{mean:.{digits}f}', va='center',
                  fontsize='x-small', color='0.2')


def _errors(rows: pd.DataFrame, name: str) -> np.ndarray:
    """Return the lengths of the error bars ``(2, n)``; rounding must not make them negative."""
    mean = rows[f'{name}_mean'].to_numpy(dtype=float)
    low = rows[f'{name}_lo'].to_numpy(dtype=float)
    high = rows[f'{name}_hi'].to_numpy(dtype=float)
    return np.nan_to_num(np.clip([mean - low, high - mean], 0, None))


def _label_right(axis: Axes, points: Dict[str, Tuple[float, float]], labels: Mapping[str, str],
                 styles: Mapping[str, tuple]) -> None:
    """Name points at the right of the axes, spread so that the names do not overlap."""
    low, high = axis.get_ylim()
    methods = sorted(points, key=lambda method: points[method][1])
    wanted = [points[method][1] for method in methods]
    spread = spread_out(wanted, gap=0.075 * (high - low), low=low + 3, high=high - 3)
    for method, y in zip(methods, spread):
        axis.annotate(
            labels[method], xy=points[method], xytext=(1.04, (y - low) / (high - low)),
            textcoords='axes fraction', va='center', fontsize='small', color=styles[method][0],
            annotation_clip=False,
            arrowprops=dict(arrowstyle='-', color=styles[method][0], linewidth=0.7, alpha=0.7,
                            shrinkA=1, shrinkB=5))


def spread_out(values: Sequence[float], gap: float, low: float, high: float) -> List[float]:
    """Move ascending values apart by at least ``gap`` within ``[low, high]``, if they fit."""
    placed: List[float] = []
    for value in values:
        least = placed[-1] + gap if placed else low
        placed.append(max(value, least))
    limit = high
    for i in reversed(range(len(placed))):
        placed[i] = min(placed[i], limit)
        limit = placed[i] - gap
    return placed
