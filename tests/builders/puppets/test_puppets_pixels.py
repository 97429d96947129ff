"""The pixels of each scene family, texture and action are those of the published data sets.

`pixels.npz` holds every third pixel of every second frame, as they were when the data sets of the
results were rendered. Other libraries may round a pixel differently; other code may not.
"""
from pathlib import Path

import numpy as np
import pytest

from devias_mm.builders.puppets import (
    ACTIONS,
    PRESETS,
    SCENES,
    TEXTURES,
    Puppet,
    render_background,
)

FILE = Path(__file__).with_name('pixels.npz')


def thinned(frames):
    return frames[::4, ::3, ::3]


def render(name):
    rng = np.random.default_rng(7)
    if name in ACTIONS:
        colours, coverage = Puppet(rng, 64).perform(name, 16)
        return thinned(np.concatenate([colours, coverage[..., None]], axis=-1))
    return thinned(render_background(rng, name, PRESETS['ladder']))


@pytest.mark.parametrize('name', [*SCENES, *TEXTURES, *ACTIONS])
def test_pixels_are_the_published_ones(name):
    with np.load(FILE, allow_pickle=False) as archive:
        expected = archive[name].astype(int)
    difference = np.abs(render(name) - expected)
    assert difference.max() <= 1 and (difference > 0).mean() < 1e-3
