"""The tables in docs/results are still what their suites would write."""
import pandas as pd
import pytest

from devias_mm.harness import load_suite

# ablations that were measured on the printed recipe; the suite has them on the published one
MEASURED_BEFORE = {
    'puppets': set(),
    'puppets_devias': {'print-no-slots', 'print-no-amd', 'print-keys-softmax'},
}


@pytest.mark.parametrize('name', ['puppets', 'puppets_devias'])
def test_stored_table_has_the_columns_of_its_suite(root, name):
    suite = load_suite(name, root)
    stored = pd.read_csv(root / 'docs' / 'results' / f'{name}.csv')
    wanted = {'method', 'n_seeds', 'n_unreadable', 'on_error'}
    for metric in suite.protocol.columns:
        wanted |= {f'{metric.name}_{stat}' for stat in ('mean', 'std', 'lo', 'hi')}
    assert set(stored.columns) == wanted
    assert set(stored['method']) <= set(suite.methods) | MEASURED_BEFORE[name]
