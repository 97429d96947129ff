import numpy as np
import pytest

from devias_mm.evaluation import (
    harmonic_mean,
    mean_class_accuracy,
    predicted_classes,
    swap_background_error,
    topk_accuracy,
    topk_correct,
)

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


def test_mean_class_accuracy_weighs_classes_equally():
    scores = np.eye(2)[[0, 0, 0, 0]]
    assert topk_accuracy(scores, [0, 0, 0, 1]) == 75.0
    assert mean_class_accuracy(scores, [0, 0, 0, 1]) == 50.0


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
    # unseen lists are averaged arithmetically, before the harmonic mean
    assert harmonic_mean(100, [0, 100], 100, 50) == pytest.approx(4 / (2 / 100 + 2 / 50))
    assert harmonic_mean(90, 0, 90, 90) == 0
    assert np.isnan(harmonic_mean(90, 90, float('nan'), 90))
    with pytest.raises(ValueError, match='scene_seen=101'):
        harmonic_mean(90, 90, 101, 90)


def test_swap_background_error_counts_background_not_error():
    # right, background, neither, unreadable, no background class
    assert swap_background_error([0, 1, 2, -1, 3], [1, 1, 1, 1, -1]) == 25.0


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
    assert harmonic_mean(12.344, 12.346, 12.344, 12.346, round_components=2) == pytest.approx(
        4 / (2 / 12.34 + 2 / 12.35))
    with pytest.raises(ValueError, match='scene_unseen=-0.5'):
        harmonic_mean(90, 90, 90, -.5)
