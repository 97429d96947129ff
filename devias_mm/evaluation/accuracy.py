"""Accuracies of stored predictions. Everything returned as an accuracy is percent."""
from typing import Optional, Sequence

import numpy as np

ScoreRows = Sequence[Optional[Sequence[float]]]


def stack_scores(scores: ScoreRows) -> np.ndarray:
    """Stack score rows into one matrix; rows without scores become NaN.

    Args:
        scores: ``n`` rows of ``C`` scores, or ``None``/NaN for a row that has
            none (not predicted, or the video could not be read).

    Returns:
        np.ndarray: float64 ``(n, C)``; ``(n, 0)`` where no row has scores.

    Raises:
        ValueError: rows have different numbers of classes.
    """
    rows = [None if row is None or np.ndim(row) == 0 else np.asarray(row, dtype=np.float64)
            for row in scores]
    widths = {len(row) for row in rows if row is not None}
    if len(widths) > 1:
        raise ValueError(f'score rows have different numbers of classes: {sorted(widths)}; '
                         'all rows of a prediction table must come from one model')
    width = widths.pop() if widths else 0
    empty = np.full(width, np.nan)
    return np.stack([empty if row is None else row for row in rows]) if rows else \
        np.empty((0, 0))


def predicted_classes(scores: ScoreRows) -> np.ndarray:
    """Class with the highest score, int64 ``(n,)``; -1 where a row has no (finite) scores."""
    matrix = stack_scores(scores)
    valid = _readable(matrix)
    classes = np.full(len(matrix), -1, dtype=np.int64)
    if valid.any():  # no row may have scores, and then there are no columns
        classes[valid] = matrix[valid].argmax(axis=1)
    return classes


def topk_correct(scores: ScoreRows, labels: Sequence[int], k: int = 1) -> np.ndarray:
    """Per-video correctness: is the label among the ``k`` highest scores?

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
    matrix, labels = stack_scores(scores), np.asarray(labels)
    if matrix.shape[0] != labels.shape[0]:
        raise ValueError(f'{matrix.shape[0]} score rows but {labels.shape[0]} labels: '
                         'pass one label per row')
    classes = matrix.shape[1]
    if k < 1 or (classes and k > classes):
        raise ValueError(f'k={k} is not a number of guesses among {classes} classes: '
                         f'use 1 <= k <= {classes}')
    if classes and labels.size and not (labels.min() >= -1 and labels.max() < classes):
        bad = labels[(labels < -1) | (labels >= classes)][0]
        raise ValueError(f'label {bad} is outside [0, {classes}) (-1 = no label)')
    correct = np.zeros(len(labels))
    valid = _readable(matrix)
    top = np.argsort(-matrix[valid], axis=1, kind='stable')[:, :k]
    correct[valid] = (top == labels[valid, None]).any(axis=1)
    correct[labels == -1] = np.nan
    return correct


def topk_accuracy(scores: ScoreRows, labels: Sequence[int], k: int = 1) -> float:
    """Top-``k`` accuracy in percent (see :func:`topk_correct`); NaN without any label."""
    return mean_percent(topk_correct(scores, labels, k))


def mean_class_accuracy(scores: ScoreRows, labels: Sequence[int]) -> float:
    """Mean over the classes that occur of their top-1 accuracies, in percent."""
    labels = np.asarray(labels)
    correct = topk_correct(scores, labels)
    present = np.unique(labels[labels != -1])
    return mean_percent(np.array([correct[labels == c].mean() for c in present]))


def mean_percent(correct: np.ndarray) -> float:
    """100 times the mean of the entries that are not NaN; NaN where there are none."""
    valid = ~np.isnan(correct)
    return float(100.0 * correct[valid].mean()) if valid.any() else float('nan')


def _readable(matrix: np.ndarray) -> np.ndarray:
    """Which rows hold finite scores, bool ``(n,)``."""
    return np.isfinite(matrix).all(axis=1) & (matrix.shape[1] > 0)
