"""Metrics of stored features: k-NN and scene representation bias."""
import numpy as np
import pytest

from devias_mm.evaluation.knn import knn_accuracy, knn_votes
from devias_mm.evaluation.scene_bias import scene_representation_bias


def test_neighbours_vote_by_cosine_similarity():
    train = np.array([[1., 0.], [0., 3.], [-1., 0.]])
    votes = knn_votes(train, [0, 2, 1], np.array([[5., 0.]]), k=2)
    assert votes.shape == (1, 3)
    strong, weak = np.exp(1 / 0.07), 1
    assert votes[0] == pytest.approx(np.array([strong, 0, weak]) / (strong + weak))
    # a class that nobody votes for is never a guess
    assert knn_accuracy(train, [0, 2, 1], np.array([[5., 0.]]), [1], [2]) == {2: (0, 0)}


def test_of_equal_votes_the_lower_class_is_guessed():
    train = np.array([[1., 0.], [1., 0.], [0., 1.]])
    assert knn_accuracy(train, [3, 1, 0], np.array([[1., 0.]]), [1], [2]) == {2: (100, 100)}
    assert knn_accuracy(train, [3, 1, 0], np.array([[1., 0.]]), [3], [2]) == {2: (0, 100)}


@pytest.mark.parametrize('change, message', [
    (dict(k=0), 'k=0'), (dict(k=5), 'k=5'), (dict(train_labels=[0, 1]), r'\[4, 2\]'),
    (dict(train_labels=[0, -1, 0, 1]), 'must not be negative, got -1'),
    (dict(test_features=np.ones((1, 3))), '3 features.*2 features')])
def test_bad_arguments_are_named(change, message):
    good = dict(train_features=np.eye(4, 2), train_labels=[0, 1, 0, 1],
                test_features=np.ones((1, 2)), k=1)
    with pytest.raises(ValueError, match=message):
        knn_votes(**{**good, **change})


def test_scene_bias_is_the_log_ratio_to_chance():
    rng = np.random.default_rng(0)
    actions = np.arange(200) % 4
    scenes = np.eye(4)[actions] + rng.normal(size=(200, 4)) * .01
    biased = scene_representation_bias(scenes[:100], actions[:100], scenes[100:], actions[100:], 4)
    assert biased.accuracy == 100 and biased.chance == 25
    assert biased.bias == pytest.approx(np.log(4))
    noise = rng.normal(size=(2000, 3))
    actions = rng.integers(0, 4, 2000)
    unbiased = scene_representation_bias(noise[:1000], actions[:1000], noise[1000:],
                                         actions[1000:], 4)
    assert abs(unbiased.bias) < .2
    with pytest.raises(ValueError, match=r'test_labels must lie in \[-1, 4\)'):
        scene_representation_bias(noise[:9], actions[:9], noise[:9], actions[:9] + 4, 4)
