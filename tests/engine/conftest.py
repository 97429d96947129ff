import pytest
from tiny_runs import make_data


@pytest.fixture(scope='session')
def tiny_data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp('tiny'))
