"""Retrieval against a plain sort."""
import numpy as np
import pytest

from devias_mm.evaluation.retrieval import first_hit_rank, retrieval_recall


def plain(queries, query_labels, gallery, gallery_labels, k):
    hits = []
    for query, label in zip(queries, query_labels):
        cosine = gallery @ query / np.linalg.norm(gallery, axis=1) / np.linalg.norm(query)
        hits.append(label in gallery_labels[np.argsort(-cosine)[:k]])
    return 100 * np.mean(hits)


def test_agrees_with_sorting():
    rng = np.random.default_rng(0)
    queries, gallery = rng.normal(size=(37, 5)), rng.normal(size=(50, 5)) * rng.uniform(
        .1, 9, size=(50, 1))  # lengths do not count
    ours, theirs = rng.integers(0, 12, 37), rng.integers(0, 12, 50)
    recall = retrieval_recall(queries, ours, gallery, theirs, ks=(1, 5, 10, 50))
    for k, value in recall.items():
        assert value == pytest.approx(plain(queries, ours, gallery, theirs, k)), k
    assert recall[1] < recall[5] < recall[10] < recall[50]
    blocks = first_hit_rank(queries, ours, gallery, theirs, block=5)
    assert (blocks == first_hit_rank(queries, ours, gallery, theirs)).all()


def test_by_hand():
    gallery = np.array([[1., 0], [.9, .1], [0, 1], [-1, 0]])
    ranks = first_hit_rank(np.array([[1., 0], [1, 0], [1, 0]]), [0, 1, 7], gallery, [0, 0, 1, 2])
    assert ranks.tolist() == [0, 2, np.inf]


def test_features_that_are_all_alike_retrieve_nothing():
    recall = retrieval_recall(np.ones((3, 4)), [0, 1, 2], np.ones((6, 4)), [0, 0, 1, 1, 2, 2],
                              ks=(1, 4))
    assert recall == {1: 0., 4: 0.}


def test_nearly_equal_features_are_told_apart():
    gallery = 1 + 1e-4 * np.eye(3, 8, dtype=np.float32)
    assert first_hit_rank(gallery, [0, 1, 2], gallery, [0, 1, 2]).tolist() == [0, 0, 0]


def test_unreadable_queries_count_as_wrong():
    queries = np.array([[1., 0], [np.nan, np.nan]])
    recall = retrieval_recall(queries, [0, 0], np.array([[1., 0]]), [0], ks=(1, ))
    assert recall == {1: 50.}


def test_bad_input():
    one = np.ones((1, 2))
    with pytest.raises(ValueError, match='not finite'):
        retrieval_recall(one, [0], one * np.nan, [0])
    with pytest.raises(ValueError, match='gallery: 1 features but 2 labels'):
        retrieval_recall(one, [0], one, [0, 1])
    with pytest.raises(ValueError, match='columns'):
        retrieval_recall(one, [0], np.ones((1, 3)), [0])
    with pytest.raises(ValueError, match='k must be'):
        retrieval_recall(one, [0], one, [0], ks=(0, ))
