import numpy as np
import pandas as pd
import pytest
from matplotlib import image
from matplotlib import pyplot as plt
from matplotlib.text import Text

from devias_mm.harness import load_suite
from devias_mm.harness.figures import (
    ladder_curves,
    plot_report,
    ranked_bars,
    scatter,
    spread_out,
)
from devias_mm.harness.render import ranked

NAN = float('nan')
MAIN_COLUMNS = ('action_seen', 'action_unseen', 'scene_seen', 'scene_unseen', 'hm')
PAIRS = {'Action': MAIN_COLUMNS[:2], 'Scene': MAIN_COLUMNS[2:4]}
MEANS = {  # action seen, unseen, scene seen, unseen, hm
    'naive': (99.8, 6.2, NAN, NAN, NAN), 'naive-scene': (NAN, NAN, 100., 100., NAN),
    'be': (100., 7.1, NAN, NAN, NAN), 'fame': (97.9, 78.4, NAN, NAN, NAN),
    'two-token': (100., 6.3, 100., 100., 21.2), 'devias': (98.7, 82.2, 100., 99.8, 94.5)}
RHO_UNSEEN = {'naive': (98, 97, 84, 30, 2, 0), 'be': (98, 96, 88, 45, 6, 1),
              'fame': (98, 97, 97, 96, 93, 85), 'two-token': (97, 95, 80, 31, 3, 1),
              'devias': (97, 97, 96, 94, 90, 82)}


def cells(name, mean):
    return {f'{name}_mean': mean, f'{name}_std': 1.5 if mean < 99 else 0.2,
            f'{name}_lo': max(0, mean - 4) if mean == mean else NAN,
            f'{name}_hi': min(100, mean + 3) if mean == mean else NAN}


@pytest.fixture
def table():
    return pd.DataFrame([
        {'method': method, **{key: value for name, mean in zip(MAIN_COLUMNS, means)
                              for key, value in cells(name, mean).items()}, 'n_seeds': 3}
        for method, means in MEANS.items()])


@pytest.fixture
def ladder():
    rows = []
    for method, means in RHO_UNSEEN.items():
        row = {'method': method}
        for x, mean in zip((.5, .6, .7, .8, .9, .95), means):
            row.update(cells(f'unseen@{x:.2f}', mean))
        rows.append({**row, 'breaking_rho': 0.7, 'n_seeds': 1})
    return pd.DataFrame(rows)


def test_all_figures_are_small_files_with_content(root, table, ladder, tmp_path):
    paths = plot_report(load_suite('benchmarks/puppets.py', root), table, tmp_path)
    paths += plot_report(load_suite('benchmarks/puppets_ladder.py', root), ladder, tmp_path)
    assert [path.name for path in paths] == [
        f'{name}.{suffix}' for name in ('ranking', 'seen_unseen', 'ladder')
        for suffix in ('pdf', 'png')]
    for path in paths:
        assert path.stat().st_size < 150_000
        if path.suffix == '.png':
            pixels = image.imread(path)
            assert pixels.shape[1] >= 600 and np.unique(pixels.reshape(-1, 4), axis=0).size > 400
    assert plt.get_fignums() == []


def test_figures_are_reproducible(root, table, tmp_path):
    suite = load_suite('benchmarks/puppets.py', root)
    first = [path.read_bytes() for path in plot_report(suite, table, tmp_path / 'a')]
    assert first == [path.read_bytes() for path in plot_report(suite, table, tmp_path / 'b')]


def test_bars_show_the_values_in_ranked_order(root, table):
    suite = load_suite('benchmarks/puppets.py', root)
    labels = {name: method.label for name, method in suite.methods.items()}
    metrics = [suite.protocol.metric(name) for name in MAIN_COLUMNS]
    figure = ranked_bars(ranked(suite, table), metrics, labels)
    names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert names == ['DEVIAS', 'Two-Token', 'FAME', 'BE', 'Naive Action', 'Naive Scene']
    assert [axis.get_title() for axis in figure.axes][-1] == 'H.M.'
    assert [bar.get_width() for bar in figure.axes[1].patches] == [82.2, 6.3, 78.4, 7.1, 6.2]
    assert figure.axes[0].yaxis_inverted()
    plt.close(figure)


def test_labels_do_not_overlap(table, ladder):
    figures = [scatter(table, PAIRS, {name: name for name in MEANS}),
               ladder_curves(pd.DataFrame([
                   {'method': method, 'x': x, 'mean': mean, 'std': NAN, 'lo': mean, 'hi': mean}
                   for method, means in RHO_UNSEEN.items() for x, mean in enumerate(means)]),
                   {name: name for name in RHO_UNSEEN})]
    for figure in figures:
        figure.canvas.draw()
        for axis in figure.axes:
            # without the leader lines, which belong to the extent of an annotation
            boxes = [Text.get_window_extent(text) for text in axis.texts
                     if text.get_text() in MEANS]
            assert len(boxes) >= 3
            for i, box in enumerate(boxes):
                assert not any(box.overlaps(other) for other in boxes[i + 1:])
                assert box.x1 <= figure.bbox.x1 and box.y0 >= 0
        plt.close(figure)


def test_scatter_needs_a_method_with_both(table):
    assert scatter(table[table['method'] == 'x'], PAIRS, {}) is None


def test_spread_out():
    assert spread_out([0, 0, 50], gap=5, low=0, high=100) == [0, 5, 50]
    assert spread_out([98, 99, 100], gap=5, low=0, high=100) == [90, 95, 100]
