"""Parts of a training list: for learning with few labels, and for validation."""
from typing import Callable, List, Sequence

import numpy as np

from devias_mm.errors import UsageError


def balanced_subset(labels: Sequence[int], fraction: float, seed: int) -> List[int]:
    """Draw the same number of items from each class.

    The number is ``fraction`` of the mean class size, rounded, at least 1; a class that has
    fewer gives all. A smaller fraction with the same seed draws a part of what a larger one draws.

    Args:
        labels: class of each item.
        fraction: in (0, 1].
        seed: at least 0; the draw depends on it, the class and the order of the items.

    Returns:
        list[int]: indices, ascending.

    Raises:
        UsageError: for a fraction out of range or no items.
    """
    labels = np.asarray(labels)
    if not 0 < fraction <= 1:
        raise UsageError(f'fraction must be in (0, 1], got {fraction}')
    if not len(labels):
        raise UsageError('there is nothing to draw from')
    count = max(1, round(fraction * len(labels) / len(np.unique(labels))))
    return _draw(labels, seed, lambda size: count)


def held_out(labels: Sequence[int], fraction: float, seed: int) -> List[int]:
    """Draw the same share of each class; the rest remains for the training.

    The number is ``fraction`` of the class, rounded, at least 1; but one item of each
    class remains, so that a class of one gives none.

    Args:
        labels: class of each item.
        fraction: in (0, 1).
        seed: at least 0; the draw depends on it, the class and the order of the items.

    Returns:
        list[int]: indices, ascending.

    Raises:
        UsageError: for a fraction out of range, or where no class has two items.
    """
    labels = np.asarray(labels)
    if not 0 < fraction < 1:
        raise UsageError(f'fraction must be in (0, 1), got {fraction}')

    def count(size: int) -> int:
        return min(max(1, round(fraction * size)), size - 1)

    chosen = _draw(labels, seed, count)
    if not chosen:
        raise UsageError('no class has two items: nothing can be held out')
    return chosen


def _draw(labels: np.ndarray, seed: int, count: Callable[[int], int]) -> List[int]:
    """Draw ``count(size)`` items of each class, in an order that the seed decides."""
    chosen: List[int] = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        order = np.random.default_rng((seed, int(label))).permutation(members)
        chosen += order[:count(len(order))].tolist()
    return sorted(chosen)
