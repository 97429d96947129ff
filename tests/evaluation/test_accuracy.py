import numpy as np
import pytest

from devias_mm.evaluation.accuracy import (
    agreement,
    mean_percent,
    predicted_classes,
    topk_accuracy,
    topk_correct,
)
from devias_mm.evaluation.harmonic_mean import harmonic_mean

SCORES = [[.1, .7, .2], [.5, .1, .4], None, [.2, .3, .5], [.6, .3, .1]]
LABELS = [1, 2, 0, -1, 0]


def test_unreadable_is_wrong_and_unlabelled_is_left_out():
    np.testing.assert_array_equal(topk_correct(SCORES, LABELS), [1, 0, 0, np.nan, 1])
    assert topk_accuracy(SCORES, LABELS) == 50.0
    assert topk_accuracy(SCORES, LABELS, k=2) == 75.0
    np.testing.assert_array_equal(predicted_classes(SCORES), [1, 0, -1, 2, 0])


def test_row_without_scores_stays_wrong_when_all_classes_are_guessed():
    assert topk_accuracy([None, [.5, .5]], [0, 1], k=2) == 50.0
    assert topk_accuracy([None, None], [0, 1]) == 0.0
    assert np.isnan(topk_accuracy([[1., 0.]], [-1]))


def test_of_equal_scores_the_lower_class_is_guessed_first():
    scores = np.array([[.3, .3, .3, .1], [.1, .3, .3, .3], [.2, .3, .2, .3]])
    assert predicted_classes(scores).tolist() == [0, 1, 1]
    for labels, ranks in (([0, 1, 1], [0, 0, 0]), ([1, 2, 3], [1, 1, 1]), ([2, 3, 0], [2, 2, 2]),
                          ([3, 0, 2], [3, 3, 3])):
        for k in (1, 2, 3, 4):
            assert topk_correct(scores, labels, k).tolist() == [rank < k for rank in ranks]


def test_top_k_agrees_with_sorting():
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 5, (200, 9)).astype(np.float32)
    scores[::7, 3] = np.nan
    labels = rng.integers(-1, 9, 200)
    for k in (1, 2, 5, 9):
        guesses = np.argsort(-scores, axis=1, kind='stable')[:, :k]
        right = (guesses == labels[:, None]).any(axis=1) & np.isfinite(scores).all(axis=1)
        expected = np.where(labels == -1, np.nan, right)
        np.testing.assert_array_equal(topk_correct(scores, labels, k), expected)


@pytest.mark.parametrize('scores, labels, k, message', [
    ([[.5, .5]], [2], 1, 'label 2'),
    ([[.5, .5]], [0, 1], 1, '1 score rows but 2 labels'),
    ([[.5, .5]], [0], 3, 'k=3'),
    ([[.5, .5], [.1, .2, .7]], [0, 0], 1, 'different numbers of classes'),
])
def test_bad_input_is_named(scores, labels, k, message):
    with pytest.raises(ValueError, match=message):
        topk_accuracy(scores, labels, k)


def test_harmonic_mean():
    assert harmonic_mean(80, 80, 80, 80) == pytest.approx(80)
    assert harmonic_mean(100, 50, 100, 50) == pytest.approx(4 / (2 / 100 + 2 / 50))
    assert harmonic_mean(90, 0, 90, 90) == 0
    assert np.isnan(harmonic_mean(90, 90, float('nan'), 90))
    assert np.isnan(harmonic_mean(90, 0, float('nan'), 90))
    # seeds and resamples
    values = harmonic_mean(np.array([[80, 40], [0, 10]]), 40)
    assert values.tolist() == [[pytest.approx(160 / 3), 40], [0, 16]]
    with pytest.raises(ValueError, match='101 is not an accuracy'):
        harmonic_mean(90, 90, 101, 90)


def test_swap_background_error_counts_background_not_error():
    # right, background, neither, unreadable, no background class
    assert mean_percent(agreement([0, 1, 2, -1, 3], [1, 1, 1, 1, -1])) == 25.0


def test_a_table_without_any_scores_predicts_nothing():
    assert list(predicted_classes([None, None])) == [-1, -1]


def test_ties_go_to_the_smaller_class():
    scores = np.random.default_rng(0).integers(0, 3, 400) / 2
    ranked = sorted(range(400), key=lambda label: (-scores[label], label))
    for k in (1, 5, 200):
        correct = topk_correct([scores] * 400, np.arange(400), k=k)
        assert np.flatnonzero(correct).tolist() == sorted(ranked[:k])
    assert list(predicted_classes([scores])) == ranked[:1]


def test_harmonic_mean_of_small_numbers_and_other_digits():
    assert harmonic_mean(.5, .5, .5, .5) == pytest.approx(.5)
    with pytest.raises(ValueError, match='-0.5 is not an accuracy'):
        harmonic_mean(90, 90, 90, -.5)
