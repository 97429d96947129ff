"""Figures of a suite, drawn from its numeric table (see ``harness/leaderboard.py``)."""
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from devias_mm.harness.ladder import ladder_points
from devias_mm.harness.render import ranked
from devias_mm.harness.style import GREY, apply_style, method_styles, save_figure
from devias_mm.harness.suite import Suite

PANELS = {'action_seen': 'Action, seen', 'action_unseen': 'Action, unseen',
          'scene_seen': 'Scene, seen', 'scene_unseen': 'Scene, unseen', 'hm': 'Harmonic mean'}


def plot_report(suite: Suite, table: pd.DataFrame, folder: Path) -> List[Path]:
    """Draw all figures of a suite as PDF and PNG.

    Args:
        suite: names and order of its methods.
        table: from :func:`devias_mm.harness.report.make_report`, or its CSV read back.
        folder: where the files go.

    Returns:
        list[Path]: the files: ``ladder`` for a suite with variants, else
        ``ranking`` and, where a method predicts actions or scenes on both seen
        and unseen combinations, ``seen_unseen``.
    """
    apply_style()
    labels = {name: method.label or name for name, method in suite.methods.items()}
    if suite.variants:
        figures = {'ladder': ladder_curves(ladder_points(table), labels, suite.variant_axis,
                                           suite.breaking_accuracy)}
    else:
        figures = {'ranking': ranked_bars(ranked(suite, table), labels),
                   'seen_unseen': seen_unseen_scatter(table, labels)}
    return [path for name, figure in figures.items() if figure is not None
            for path in save_figure(figure, Path(folder) / name)]


def ranked_bars(table: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Bars with intervals: a panel per column, methods from top to bottom as in ``table``."""
    columns = [name for name in PANELS if table[f'{name}_mean'].notna().any()]
    styles = method_styles(list(labels))
    figure, axes = plt.subplots(1, len(columns), sharey=True, squeeze=False,
                                figsize=(1.4 + 1.55 * len(columns), 0.9 + 0.34 * len(table)))
    rows = np.arange(len(table))
    for axis, name in zip(axes[0], columns):
        mean = table[f'{name}_mean'].to_numpy(dtype=float)
        given = ~np.isnan(mean)
        axis.barh(rows[given], mean[given], height=0.7, xerr=_errors(table[given], name),
                  color=[styles[method][0] for method in table['method'][given]],
                  error_kw=dict(ecolor='0.2', elinewidth=1, capsize=2))
        for row in rows:
            # at the foot of the bar, where it meets neither the interval nor the frame
            text, colour = (f'{mean[row]:.1f}', 'white') if given[row] else ('not predicted', GREY)
            inside = given[row] and mean[row] > 30
            past = 0 if not given[row] else max(mean[row], table[f'{name}_hi'].iloc[row])
            axis.text(3 if inside else past + 3, row, text, va='center', fontsize='x-small',
                      color=colour if inside or not given[row] else '0.2')
        axis.set(title=PANELS[name], xlim=(0, 103), xticks=(0, 50, 100))
        axis.tick_params(axis='y', length=0)
    axes[0, 0].set_yticks(rows, [labels[method] for method in table['method']])
    axes[0, 0].set_ylim(len(table) - 0.4, -0.6)
    figure.supxlabel('accuracy (%), 95 % intervals', fontsize='small')
    return figure


def seen_unseen_scatter(table: pd.DataFrame, labels: Mapping[str, str]) -> Optional[Figure]:
    """Seen against unseen accuracy with intervals; a panel for actions, one for scenes.

    Returns:
        Figure: ``None`` where no method has both.
    """
    panels = {}
    for task in ('action', 'scene'):
        has_both = table[[f'{task}_seen_mean', f'{task}_unseen_mean']].notna().all(axis=1)
        if has_both.any():
            panels[task] = table[has_both]
    if not panels:
        return None
    styles = method_styles(list(labels))
    figure, axes = plt.subplots(1, len(panels), squeeze=False, figsize=(4.6 * len(panels), 3.6))
    for axis, (task, rows) in zip(axes[0], panels.items()):
        x, y = f'{task}_seen', f'{task}_unseen'
        for _, row in rows.iterrows():
            colour, marker = styles[row['method']]
            one = row.to_frame().T
            axis.errorbar(row[f'{x}_mean'], row[f'{y}_mean'], xerr=_errors(one, x),
                          yerr=_errors(one, y), fmt=marker, color=colour, markersize=7,
                          elinewidth=1, capsize=2, markeredgecolor='white')
        low = max(0.0, np.floor(rows[f'{x}_lo'].astype(float).min() / 5) * 5 - 5)
        axis.set(title=task.capitalize(), xlim=(low, 101), ylim=(-3, 103),
                 xlabel='seen combinations (%)', ylabel='unseen combinations (%)')
        axis.plot([0, 100], [0, 100], color=GREY, linewidth=0.8, linestyle=':', zorder=0)
        axis.grid(alpha=0.3)
        _label_right(axis, {method: (rows_x, rows_y) for method, rows_x, rows_y in zip(
            rows['method'], rows[f'{x}_mean'], rows[f'{y}_mean'])}, labels, styles)
    return figure


def ladder_curves(points: pd.DataFrame, labels: Mapping[str, str], axis_name: str = 'rho',
                  threshold: float = 80.0) -> Figure:
    """Accuracy on unseen combinations against the ladder's axis, with intervals.

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
    symbol = r'$\rho$' if axis_name == 'rho' else axis_name
    axis.set(xlabel=f'action-scene correlation {symbol} in training', ylim=(-3, 103),
             ylabel='accuracy on unseen (%)', xticks=sorted(points['x'].unique()))
    axis.grid(alpha=0.3)
    _label_right(axis, ends, labels, styles)
    return figure


def _errors(rows: pd.DataFrame, name: str) -> np.ndarray:
    """Lengths of the error bars ``(2, n)``; rounding must not make them negative."""
    mean, lo, hi = (rows[f'{name}_{stat}'].to_numpy(dtype=float) for stat in ('mean', 'lo', 'hi'))
    return np.nan_to_num(np.clip([mean - lo, hi - mean], 0, None))


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
        placed.append(max(value, placed[-1] + gap) if placed else max(value, low))
    limit = high
    for i in reversed(range(len(placed))):
        placed[i] = min(placed[i], limit)
        limit = placed[i] - gap
    return placed
