"""Contrasted accuracy: SCUBA clips that are right while their SCUFO twin is wrong."""
import numpy as np
import pandas as pd
import pytest

from devias_mm.evaluation.accuracy import mean_percent
from devias_mm.evaluation.contrasted import contrasted

MOVING = pd.Series([1., 1., 0., 0., 1.], index=list('abcde'))
STILL = pd.Series([1., 0., 1., 0., np.nan], index=list('abcde'))


def percent(moving, still):
    return mean_percent(contrasted(moving, still))


def test_by_hand():
    assert contrasted(MOVING, STILL).fillna(-1).tolist() == [0, 1, 0, 0, -1]
    assert percent(MOVING, STILL) == 25
    assert percent(MOVING, 0 * MOVING) == 60  # of twins that are all wrong: SCUBA's
    assert percent(MOVING, MOVING) == 0


def test_pairs_are_found_by_the_video():
    pd.testing.assert_series_equal(contrasted(MOVING, STILL[::-1]), contrasted(MOVING, STILL))
    assert percent(MOVING[::-1], STILL) == 25


def test_unpaired_and_repeated_videos_are_named():
    with pytest.raises(ValueError, match=r'2 video\(s\) are in one .* only: a, e'):
        contrasted(MOVING, STILL[1:4])
    with pytest.raises(ValueError, match=r'1 video\(s\) .*: e; test both'):
        contrasted(MOVING[:4], STILL)
    with pytest.raises(ValueError, match="video 'a' occurs more than once in the SCUFO split"):
        contrasted(MOVING, pd.concat([STILL, STILL[:1]]))
