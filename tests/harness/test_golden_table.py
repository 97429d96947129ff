"""The table of random runs equals the one that is stored here."""
from pathlib import Path

import pandas as pd
import pytest
from fake_runs import PREDICTS, SPLITS, SWAPS, make_runs

from devias_mm.evaluation.metrics import (
    comprehensive,
    contrasted_metrics,
    per_split,
    ratios,
    seen_unseen,
    swap_metrics,
)
from devias_mm.harness import Data, Ladder, Method, Protocol, Suite, Variant
from devias_mm.harness.ladder import ladder_table
from devias_mm.harness.leaderboard import leaderboard
from devias_mm.harness.results import collect

GOLDEN = Path(__file__).with_name('golden')
METHODS = {name: Method(f'{name}.py', predicts=tasks) for name, tasks in PREDICTS.items()}
SETS = {'swap': SWAPS}
PROTOCOL = Protocol(
    splits=SPLITS, sets=SETS, topk={'scene': 2},
    metrics=(
        *seen_unseen(('seen', ), ('unseen', 'texture'), ('seen', ),
                     ('unseen', 'scene-only', 'swap')),
        *comprehensive(('seen', ), ('unseen', 'swap', 'texture'), ('seen', ),
                       ('unseen', 'scene-only', 'swap', 'texture')),
        *per_split(SPLITS, SETS),
        *swap_metrics(('unseen', 'swap')),
        *ratios(('seen', ), 'scene-only', 'human-only'),
        *contrasted_metrics({'contrasted-still': ('texture', 'still')})))


def equal(table, name):
    """Whether a table has the columns of the stored one, with the same numbers.

    Values are equal to the last bit, intervals but for the rounding of a quantile.
    """
    stored = pd.read_csv(GOLDEN / f'{name}.csv', float_precision='round_trip')
    assert set(table.columns) == set(stored.columns)
    interval = stored.columns[stored.columns.str.endswith(('_lo', '_hi'))]
    pd.testing.assert_frame_equal(table[interval], stored[interval], rtol=1e-14, atol=0,
                                  check_dtype=False)
    exact = stored.columns.difference(interval)
    pd.testing.assert_frame_equal(table[exact], stored[exact], check_exact=True,
                                  check_dtype=False)


@pytest.mark.parametrize('on_error', ['count-wrong', 'skip'])
def test_leaderboard(tmp_path, on_error):
    suite = Suite('golden', 'Golden', Data(), METHODS, PROTOCOL, seeds=(0, 1, 2))
    results = collect(suite, make_runs(tmp_path), '', on_error)
    equal(leaderboard(suite, results), f'leaderboard_{on_error}')


def test_ladder(tmp_path):
    variants = {f'rho{x}': Variant(x) for x in (0.5, 0.7, 0.9)}
    protocol = Protocol(SPLITS, seen_unseen(('seen', ), ('unseen', )))
    suite = Suite('golden_ladder', 'Golden', Data(), METHODS, protocol,
                  ladder=Ladder(variants, breaking_accuracy=45.0))
    runs = make_runs(tmp_path, seeds=(0, ), variants=tuple(variants))
    equal(ladder_table(suite, collect(suite, runs, '')), 'ladder')
