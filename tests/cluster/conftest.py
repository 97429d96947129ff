"""The tiny data of the engine's tests."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'engine'))
from tiny_runs import make_data  # noqa: E402


@pytest.fixture(scope='session')
def tiny_data(tmp_path_factory):
    """Folder with tiny videos and their lists."""
    return make_data(tmp_path_factory.mktemp('tiny'))
