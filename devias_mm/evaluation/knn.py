"""Weighted k-nearest-neighbour classification of features (DEVIAS, section 4.5 and Table 1)."""
from typing import Dict, Sequence, Tuple

import numpy as np

# similarities held in memory at once
_BATCH_ENTRIES = 8_000_000


def knn_votes(train_features: np.ndarray, train_labels: Sequence[int], test_features: np.ndarray,
              k: int, temperature: float = 0.07) -> np.ndarray:
    """Votes of the ``k`` most similar training items for each class.

    The similarity is the cosine; a neighbour votes for its class with
    ``exp(similarity / temperature)``.

    Args:
        train_features: ``(n, D)``.
        train_labels: classes ``(n,)``, not negative.
        test_features: ``(m, D)``.
        k: neighbours, in ``[1, n]``.
        temperature: of the votes, positive.

    Returns:
        np.ndarray: float64 ``(m, C)`` with ``C`` the largest training label + 1.

    Raises:
        ValueError: shapes do not fit, or ``k`` or a label is out of range.
    """
    train = _unit_rows(train_features, 'train_features')
    test = _unit_rows(test_features, 'test_features')
    labels = np.asarray(train_labels)
    if train.shape[1] != test.shape[1]:
        raise ValueError(f'training features have {train.shape[1]} dimensions, test features '
                         f'{test.shape[1]}')
    if labels.shape != (len(train), ) or labels.min() < 0:
        raise ValueError(f'{len(train)} training features need as many labels >= 0, got '
                         f'{labels.shape[0]} from {labels.min()}')
    if not 1 <= k <= len(train):
        raise ValueError(f'k={k} is not a number of neighbours among {len(train)} training items')
    votes = np.zeros((len(test), labels.max() + 1))
    step = max(1, _BATCH_ENTRIES // len(train))
    for start in range(0, len(test), step):
        similarity = test[start:start + step] @ train.T
        nearest = np.argpartition(-similarity, k - 1, axis=1)[:, :k]
        rows = np.arange(len(similarity))[:, None]
        np.add.at(votes, (start + rows, labels[nearest]),
                  np.exp(similarity[rows, nearest].astype(np.float64) / temperature))
    return votes


def knn_accuracy(train_features: np.ndarray, train_labels: Sequence[int],
                 test_features: np.ndarray, test_labels: Sequence[int],
                 k_values: Sequence[int] = (10, 20), temperature: float = 0.07
                 ) -> Dict[int, Tuple[float, float]]:
    """Top-1 and top-5 accuracy in percent for each ``k``.

    A class without a vote is never a guess: for ``k < 5`` the top-5 accuracy
    counts what the ``k`` neighbours name.

    Args:
        train_features, train_labels, test_features, temperature: see :func:`knn_votes`.
        test_labels: classes ``(m,)``; -1 is left out.
        k_values: numbers of neighbours.
    """
    known = np.asarray(test_labels) >= 0
    labels = np.asarray(test_labels)[known]
    result = {}
    for k in k_values:
        votes = knn_votes(train_features, train_labels, np.asarray(test_features)[known], k,
                          temperature)
        order = np.argsort(-votes, axis=1, kind='stable')[:, :5]
        right = (order == labels[:, None]) & (np.take_along_axis(votes, order, 1) > 0)
        result[k] = (100.0 * right[:, 0].mean(), 100.0 * right.any(axis=1).mean())
    return result


def _unit_rows(features: np.ndarray, name: str) -> np.ndarray:
    features = np.asarray(features, dtype=np.float32)
    if features.ndim != 2 or not len(features):
        raise ValueError(f'{name} must be (items, dimensions) with at least one item, got '
                         f'{features.shape}')
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
