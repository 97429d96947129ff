"""Shared fixtures."""
import warnings
from pathlib import Path

import pytest

warnings.filterwarnings('ignore', message='Fail to import')

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import torch  # noqa: E402

import devias_mm.register  # noqa: E402,F401

ROOT = Path(__file__).resolve().parents[1]
PARITY = pytest.StashKey()


def pytest_addoption(parser):
    parser.addoption('--parity', metavar='FILE', help='write what the golden tests measured, '
                     'and the tolerances, into a CSV file (docs/results/parity.md)')


def pytest_configure(config):
    config.stash[PARITY] = []


def pytest_sessionfinish(session):
    file, rows = session.config.getoption('--parity'), session.config.stash[PARITY]
    if file and rows:
        columns = ['test', 'array', 'kind', 'largest', 'tolerance']
        pd.DataFrame(rows, columns=columns).to_csv(file, index=False, float_format='%.3g')


@pytest.fixture
def parity(request):
    """Compare with a golden array: ``parity(name, ours, expected, tolerance, kind='absolute')``.

    ``kind='relative'`` divides the differences by the largest expected value; ``'share'`` is
    the share of unequal elements. What was measured is noted for ``--parity``.
    """
    def compare(name, ours, expected, tolerance, kind='absolute'):
        ours, expected = (np.asarray(array.detach() if torch.is_tensor(array) else array)
                          for array in (ours, expected))
        assert ours.shape == expected.shape, name
        if kind == 'share':
            largest = float((ours != expected).mean())
        else:
            largest = float(np.abs(ours.astype(float) - expected).max())
            if kind == 'relative':
                largest /= np.abs(expected).max()
        request.config.stash[PARITY].append(
            (request.node.name, name, kind, largest, tolerance))
        assert largest <= tolerance, f'{name}: {kind} difference {largest}, at most {tolerance}'
    return compare


@pytest.fixture(autouse=True)
def _seed_and_threads():
    """Same random numbers in every test, one thread as in a training."""
    torch.set_num_threads(1)
    torch.manual_seed(0)


@pytest.fixture
def root() -> Path:
    """Top folder of the repository."""
    return ROOT


@pytest.fixture
def golden() -> Path:
    """Folder with the numbers of the published implementations, see its README."""
    return ROOT / 'tests' / 'golden'


@pytest.fixture
def shared() -> Path:
    """Folder with real clips and official lists, which is not part of the repository."""
    folder = ROOT.parent / 'shared'
    if not folder.is_dir():
        pytest.skip(f'needs real clips and lists in {folder.name}/ beside the repository')
    return folder
