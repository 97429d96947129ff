"""The metrics of HAT (NeurIPS 2022, section 3.3) on predicted classes."""
from typing import NamedTuple, Sequence

import numpy as np

from devias_mm.evaluation.accuracy import mean_percent


class MeanStd(NamedTuple):
    """Mean and standard deviation over splits or seeds."""
    mean: float
    std: float


def agreement(predicted: Sequence[int], labels: Sequence[int]) -> np.ndarray:
    """1 where the prediction equals the label, 0 elsewhere, NaN where the label is -1.

    Args:
        predicted: classes; -1 (no prediction) never agrees.
        labels: classes of the same length.
    """
    predicted, labels = np.asarray(predicted), np.asarray(labels)
    if predicted.shape != labels.shape:
        raise ValueError(f'{predicted.shape[0]} predictions but {labels.shape[0]} labels: '
                         'pass one label per prediction')
    return np.where(labels == -1, np.nan, (predicted == labels).astype(np.float64))


def swap_human_accuracy(predicted: Sequence[int], action_labels: Sequence[int]) -> float:
    """SHAcc: percent of action-swap videos predicted as the *person's* action."""
    return mean_percent(agreement(predicted, action_labels))


def swap_background_error(predicted: Sequence[int], background_labels: Sequence[int]) -> float:
    """SBErr: percent of action-swap videos predicted as the *background's* action.

    Lower is better. A video without a prediction shows no bias and counts as
    not predicted as the background; SHAcc counts it as wrong.
    """
    return mean_percent(agreement(predicted, background_labels))


def background_only_ratio(background_only: float, original: float) -> float:
    """BOR: accuracy on background-only videos over accuracy on the original ones (a ratio)."""
    return _ratio(background_only, original)


def human_only_ratio(human_only: float, original: float) -> float:
    """HOR: accuracy on human-only videos over accuracy on the original ones (a ratio)."""
    return _ratio(human_only, original)


def mean_std(values: Sequence[float], ddof: int = 1) -> MeanStd:
    """Mean and standard deviation of a metric over splits or seeds.

    Args:
        values: one number per split or seed.
        ddof: 1 for the sample standard deviation (default), 0 for the
            population's. It is NaN where fewer than ``ddof + 1`` values are given.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.size == 0:
        raise ValueError('mean_std needs at least one value')
    std = values.std(ddof=ddof) if values.size > ddof else float('nan')
    return MeanStd(float(values.mean()), float(std))


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float('nan')
