import time

import numpy as np
import pandas as pd
import pytest

from devias_mm.evaluation import uncertainty
from devias_mm.evaluation.harmonic_mean import harmonic_mean
from devias_mm.evaluation.paired import compare_paired
from devias_mm.evaluation.uncertainty import Case, bootstrap, bootstrap_accuracy, bootstrap_all


def test_interval_covers_the_true_rate():
    rng = np.random.default_rng(3)
    covered = 0
    for i in range(150):
        sample = (rng.random(200) < 0.7).astype(float)
        value, lo, hi = bootstrap_accuracy(sample, n_resamples=300, seed=i)
        assert lo <= value <= hi
        covered += lo <= 70 <= hi
    assert 0.88 <= covered / 150 <= 0.99


def test_width_is_that_of_a_binomial():
    sample = np.r_[np.ones(300), np.zeros(100)]
    _, lo, hi = bootstrap_accuracy(sample)
    assert (hi - lo) / 2 == pytest.approx(196 * np.sqrt(0.75 * 0.25 / 400), rel=0.1)


@pytest.mark.parametrize('sample, value', [([1.] * 20, 100.), ([0.] * 20, 0.), ([1.], 100.),
                                           ([1., np.nan, 1.], 100.)])
def test_no_variation_gives_a_point(sample, value):
    assert bootstrap_accuracy(np.array(sample)) == (value, value, value)


def test_nothing_labelled_is_nan():
    assert np.isnan(bootstrap_accuracy(np.array([np.nan]))).all()


def test_seeded_and_fast():
    sample = (np.random.default_rng(0).random(2000) < .5).astype(float)
    start = time.process_time()
    first = bootstrap_accuracy(sample, seed=1)
    assert time.process_time() - start < 1
    assert bootstrap_accuracy(sample, seed=1) == first
    assert bootstrap_accuracy(sample, seed=2) != first


def test_action_and_scene_of_a_video_stay_together():
    # scene is wrong exactly where action is right: their mean cannot vary if resampled together
    action = (np.random.default_rng(0).random(300) < .5).astype(float)
    result = bootstrap({'seen': np.stack([action, 1 - action])},
                       lambda percent: percent['seen'].mean(axis=0))
    assert result == pytest.approx((50, 50, 50))


def test_splits_are_resampled_independently_and_fixed_ones_broadcast():
    rng = np.random.default_rng(0)
    hits = {'a': (rng.random((3, 100)) < .8).astype(float), 'b': np.ones((3, 1))}

    def statistic(percent):
        return harmonic_mean(percent['a'], percent['b']).mean(axis=0)

    value, lo, hi = bootstrap(hits, statistic)
    assert value == pytest.approx(np.mean([2 / (1 / a + .01) for a in 100 * hits['a'].mean(1)]))
    assert lo < value < hi <= 100


def test_unlabelled_videos_do_not_dilute_a_resample():
    hits = np.full(100, np.nan)
    hits[:50] = 1
    assert bootstrap({'x': hits}, lambda p: p['x']) == (100, 100, 100)


def test_many_statistics_have_the_intervals_that_each_has_alone():
    rng = np.random.default_rng(0)
    hits = {name: (rng.random((2, n)) < 0.6).astype(float)
            for name, n in (('a', 50), ('b', 50), ('c', 1), ('d', 30))}
    hits['a'][0, 3] = np.nan
    cases = []
    for names in (('a', ), ('b', ), ('a', 'c'), ('c', 'a'), ('a', 'd'), ('d', 'b'), ('a', 'b')):
        own = {name: hits[name] for name in names}
        cases.append(Case(own, lambda percent: sum(p.mean(axis=0) for p in percent.values())))
    together = bootstrap_all(cases)
    assert together == [bootstrap(*case) for case in cases]
    assert together[0].lo < together[0].value < together[0].hi


def test_large_splits_vary_as_small_ones_do(monkeypatch):
    rng = np.random.default_rng(0)
    # two seeds that often agree, and one label that is missing
    first = (rng.random(400) < 0.7).astype(float)
    hits = np.stack([first, np.where(rng.random(400) < 0.8, first, 1 - first)])
    hits[:, 5] = np.nan
    small = bootstrap({'x': hits}, lambda percent: percent['x'].mean(axis=0), 20_000)
    monkeypatch.setattr(uncertainty, '_LARGE_SPLIT', 100)
    large = bootstrap({'x': hits}, lambda percent: percent['x'].mean(axis=0), 20_000)
    assert large.value == small.value
    assert large.lo == pytest.approx(small.lo, abs=0.15)
    assert large.hi == pytest.approx(small.hi, abs=0.15)


def test_paired_is_joined_on_the_video_and_signed():
    rng = np.random.default_rng(0)
    videos = [f'v{i}' for i in range(200)]
    weak = pd.Series((rng.random(200) < .5).astype(float), videos)
    strong = weak.copy()
    strong.iloc[np.flatnonzero(weak == 0)[:20]] = 1
    result = compare_paired(strong, weak.sample(frac=1, random_state=0))
    assert result.difference == pytest.approx(10)
    # joined, only 20 videos differ; misaligned rows would give about +-13 points
    assert 5 < result.lo < 10 < result.hi < 15
    assert result.p_value < 0.001
    back = compare_paired(weak, strong)
    assert (back.difference, back.lo) == pytest.approx((-10, -result.hi))


def test_paired_of_equal_methods():
    same = pd.Series([1., 0., 1.], list('abc'))
    assert compare_paired(same, same) == (0, 0, 0, 1, 3)


def test_paired_names_missing_and_repeated_videos():
    one = pd.Series([1., 0., 1.], list('abc'))
    with pytest.raises(ValueError, match='1 video.s. are missing from the second method: c'):
        compare_paired(one, one.iloc[:2])
    with pytest.raises(ValueError, match='missing from the first method: c'):
        compare_paired(one.iloc[:2], one)
    with pytest.raises(ValueError, match="'b' more than once"):
        compare_paired(one, pd.Series([1., 1., 1.], list('abb')))


@pytest.mark.parametrize('changed, p_value', [(1, 1.), (2, .5), (3, .25)])
def test_few_changed_videos_prove_little(changed, p_value):
    """Of ``n`` videos that all change in one direction, two of ``2 ** n`` flips are as extreme."""
    videos = [f'v{i}' for i in range(20)]
    weak = pd.Series(np.zeros(20), videos)
    strong = weak.copy()
    strong.iloc[:changed] = 1
    assert compare_paired(strong, weak).p_value == pytest.approx(p_value)
