"""Accuracies of stored predictions. Everything returned as an accuracy is percent."""
from typing import Collection, Optional, Sequence

import numpy as np

ScoreRows = Sequence[Optional[Sequence[float]]]


def stack_scores(scores: ScoreRows) -> np.ndarray:
    """Stack score rows into one matrix; rows without scores become NaN.

    Args:
        scores: ``n`` rows of ``C`` scores, or ``None``/NaN for a row that has none (not
            predicted, or the video could not be read).

    Returns:
        np.ndarray: float64 ``(n, C)``; ``(n, 0)`` where no row has scores.

    Raises:
        ValueError: rows have different numbers of classes.
    """
    places = []
    rows = []
    for place, row in enumerate(scores):
        if row is not None and np.ndim(row) > 0:
            places.append(place)
            rows.append(np.asarray(row, dtype=np.float64))
    width = common_width({len(row) for row in rows})
    matrix = np.full((len(scores), width), np.nan)
    if rows:
        matrix[places] = rows
    return matrix


def common_width(widths: Collection[int]) -> int:
    """Return the one number of classes that score rows have; 0 of no rows.

    Raises:
        ValueError: there are several.
    """
    if len(widths) > 1:
        raise ValueError(f'score rows have different numbers of classes: {sorted(widths)}; '
                         'all rows of a prediction table must come from one model')
    return max(widths, default=0)


def predicted_classes(scores: ScoreRows) -> np.ndarray:
    """Return the class with the highest score of each row, the lowest one of equals.

    Args:
        scores: ``(n, C)``, or rows as :func:`stack_scores` takes them.

    Returns:
        np.ndarray: int64 ``(n,)``; -1 where a row has no (finite) scores.
    """
    matrix = _matrix(scores)
    classes = np.full(len(matrix), -1, dtype=np.int64)
    if matrix.shape[1] == 0:
        return classes
    readable = np.isfinite(matrix).all(axis=1)
    if readable.all():
        return matrix.argmax(axis=1)
    classes[readable] = matrix[readable].argmax(axis=1)
    return classes


def agreement(predicted: Sequence[int], labels: Sequence[int]) -> np.ndarray:
    """Compare predicted classes with labels.

    SHAcc of an action-swap set is the mean of its agreement with the *person's* actions, SBErr
    with the *background's* (HAT, section 3.3). A video without a prediction shows no bias: it
    counts as not predicted as the background.

    Args:
        predicted: classes ``(n,)``; -1 (no prediction) never agrees.
        labels: classes ``(n,)``.

    Returns:
        np.ndarray: float64 ``(n,)``: 1 where they are equal, 0 elsewhere, NaN where the label
        is -1 (excluded from every mean).

    Raises:
        ValueError: lengths differ.
    """
    predicted = np.asarray(predicted)
    labels = np.asarray(labels)
    if predicted.shape != labels.shape:
        raise ValueError(f'{predicted.shape[0]} predictions but {labels.shape[0]} labels: '
                         'pass one label per prediction')
    equal = predicted == labels
    unlabelled = labels == -1
    return np.where(unlabelled, np.nan, equal.astype(np.float64))


def topk_correct(scores: ScoreRows, labels: Sequence[int], k: int = 1) -> np.ndarray:
    """Return for each video whether its label is among the ``k`` highest scores.

    Ties are broken by the class index, as ``argmax`` does.

    Args:
        scores: ``n`` rows of ``C`` scores; a row without scores counts as wrong.
        labels: ``n`` classes in ``[0, C)``, or -1 for a video without a label.
        k: number of guesses, in ``[1, C]``.

    Returns:
        np.ndarray: float64 ``(n,)``: 1 correct, 0 wrong, NaN without a label
        (excluded from every mean).

    Raises:
        ValueError: lengths differ, ``k`` or a label is out of range.
    """
    matrix = _matrix(scores)
    labels = np.asarray(labels)
    _check_guesses(matrix, labels, k)
    predicted = predicted_classes(matrix)
    if k == 1 or matrix.shape[1] == 0:
        return agreement(predicted, labels)
    correct = np.zeros(len(labels))
    counted = (predicted >= 0) & (labels >= 0)
    ranks = _ranks(matrix[counted], labels[counted])
    correct[counted] = ranks < k
    correct[labels == -1] = np.nan
    return correct


def topk_accuracy(scores: ScoreRows, labels: Sequence[int], k: int = 1) -> float:
    """Return the top-``k`` accuracy in percent; NaN without any label.

    Args:
        scores, labels, k: see :func:`topk_correct`.

    Example::

        >>> topk_accuracy([[0.1, 0.7, 0.2], [0.5, 0.1, 0.4]], [1, 2])
        50.0
    """
    correct = topk_correct(scores, labels, k)
    return float(mean_percent(correct))


def mean_percent(correct: np.ndarray) -> np.ndarray:
    """Return 100 times the mean over the last axis, NaN entries left out; NaN of none."""
    correct = np.asarray(correct, dtype=np.float64)
    labelled = ~np.isnan(correct)
    right = np.where(labelled, correct, 0.0)
    total = right.sum(axis=-1)
    number = labelled.sum(axis=-1)
    percent = 100.0 * total / np.maximum(number, 1)
    return np.where(number > 0, percent, np.nan)


def _matrix(scores: ScoreRows) -> np.ndarray:
    """Return a matrix of scores as it is, and anything else stacked."""
    if isinstance(scores, np.ndarray) and scores.ndim == 2:
        return scores
    return stack_scores(scores)


def _check_guesses(matrix: np.ndarray, labels: np.ndarray, k: int) -> None:
    """Raise where there are not as many labels as scores, or one is out of range."""
    if len(matrix) != len(labels):
        raise ValueError(f'{len(matrix)} score rows but {len(labels)} labels: '
                         'pass one label per row')
    classes = matrix.shape[1]
    if k < 1 or (classes and k > classes):
        raise ValueError(f'k={k} is not a number of guesses among {classes} classes: '
                         f'use 1 <= k <= {classes}')
    too_low = labels < -1
    too_high = labels >= classes
    outside = labels[too_low | too_high]
    if classes and len(outside):
        raise ValueError(f'label {outside[0]} is outside [0, {classes}) (-1 = no label)')


def _ranks(matrix: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return how many classes are guessed before the label, int64 ``(n,)``."""
    own = np.take_along_axis(matrix, labels[:, None], axis=1)
    ranks = np.count_nonzero(matrix > own, axis=1)
    equal = matrix == own
    times = np.count_nonzero(equal, axis=1)
    tied = np.flatnonzero(times > 1)
    # of equal scores the lower class is guessed first
    classes = np.arange(matrix.shape[1])
    lower = classes < labels[tied, None]
    guessed_first = equal[tied] & lower
    ranks[tied] += np.count_nonzero(guessed_first, axis=1)
    return ranks
