"""Shared fixtures."""
import warnings
from pathlib import Path

import pytest

warnings.filterwarnings('ignore', message='Fail to import')

import torch  # noqa: E402

import devias_mm  # noqa: E402,F401

ROOT = Path(__file__).resolve().parents[1]


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
def shared() -> Path:
    """Folder with golden data and real clips, which is not part of the repository."""
    folder = ROOT.parent / 'shared'
    if not folder.is_dir():
        pytest.skip(f'needs golden data in {folder.name}/ beside the repository')
    return folder
