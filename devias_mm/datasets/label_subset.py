"""A class-balanced part of a training list, for learning with few labels."""
from typing import List, Sequence

import numpy as np


def balanced_subset(labels: Sequence[int], fraction: float, seed: int) -> List[int]:
    """Draw the same number of items from each class.

    The number is ``fraction`` of the mean class size, rounded, at least 1; a class that has
    fewer gives all. A smaller fraction with the same seed draws a part of what a larger one draws.

    Args:
        labels (Sequence[int]): class of each item.
        fraction (float): in (0, 1].
        seed (int): at least 0; the draw depends on it, the class and the order of the items.

    Returns:
        list[int]: indices, ascending.

    Raises:
        ValueError: for a fraction out of range or no items.
    """
    labels = np.asarray(labels)
    if not 0 < fraction <= 1:
        raise ValueError(f'fraction must lie in (0, 1], got {fraction}')
    if not len(labels):
        raise ValueError('there is nothing to draw from')
    classes = np.unique(labels)
    count = max(1, round(fraction * len(labels) / len(classes)))
    chosen = []
    for label in classes:
        order = np.random.default_rng((seed, int(label))).permutation(
            np.flatnonzero(labels == label))
        chosen += order[:count].tolist()
    return sorted(chosen)
