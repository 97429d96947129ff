import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'engine'))


@pytest.fixture(scope='session')
def tiny_data(tmp_path_factory):
    from tiny_runs import make_data
    return make_data(tmp_path_factory.mktemp('tiny'))
