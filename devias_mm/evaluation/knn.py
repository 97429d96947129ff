"""Weighted k-nearest-neighbour classification of features (DEVIAS, section 4.5 and Table 1)."""
from functools import partial
from typing import Dict, Sequence, Tuple

import numpy as np


def knn_votes(train_features: np.ndarray, train_labels: Sequence[int], test_features: np.ndarray,
              k: int, temperature: float = 0.07) -> np.ndarray:
    """Return the share of the votes of the ``k`` most similar training items for each class.

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

    Example::

        >>> knn_votes(np.eye(2), [0, 1], np.array([[5., 0.]]), k=1)
        array([[1., 0.]])
    """
    from sklearn.neighbors import KNeighborsClassifier
    labels = np.asarray(train_labels)
    if labels.min() < 0:
        raise ValueError(f'training labels must not be negative, got {labels.min()}')
    classifier = KNeighborsClassifier(k, metric='cosine', algorithm='brute',
                                      weights=partial(_weights, temperature=temperature))
    try:
        classifier.fit(np.asarray(train_features), labels)
        shares = classifier.predict_proba(np.asarray(test_features))
    except ValueError as error:
        raise ValueError(f'k-NN with k={k}: {error}') from None
    votes = np.zeros((len(shares), labels.max() + 1))
    votes[:, classifier.classes_] = shares
    return votes


def knn_accuracy(train_features: np.ndarray, train_labels: Sequence[int],
                 test_features: np.ndarray, test_labels: Sequence[int],
                 k_values: Sequence[int] = (10, 20), temperature: float = 0.07
                 ) -> Dict[int, Tuple[float, float]]:
    """Return the top-1 and top-5 accuracy in percent for each ``k``.

    A class without a vote is never a guess: for ``k < 5`` the top-5 accuracy
    counts what the ``k`` neighbours name. Of equal votes the lower class is guessed first.

    Args:
        train_features, train_labels, test_features, temperature: see :func:`knn_votes`.
        test_labels: classes ``(m,)``; -1 is left out.
        k_values: numbers of neighbours.
    """
    known = np.asarray(test_labels) >= 0
    labels = np.asarray(test_labels)[known]
    features = np.asarray(test_features)[known]
    accuracies = {}
    for k in k_values:
        votes = knn_votes(train_features, train_labels, features, k, temperature)
        guesses = np.argsort(-votes, axis=1, kind='stable')[:, :5]
        voted = np.take_along_axis(votes, guesses, axis=1) > 0
        right = (guesses == labels[:, None]) & voted
        top1 = 100.0 * right[:, 0].mean()
        top5 = 100.0 * right.any(axis=1).mean()
        accuracies[k] = (top1, top5)
    return accuracies


def _weights(distances: np.ndarray, temperature: float) -> np.ndarray:
    """Return the votes of neighbours at some cosine distances, ``1 - similarity``.

    A factor that all neighbours share, ``exp(1 / temperature)``, is left out.
    """
    return np.exp(-distances / temperature)
