"""The main score of DEVIAS: the harmonic mean of seen/unseen action/scene accuracy."""
from typing import Optional, Sequence, Union

import numpy as np

Accuracies = Union[float, Sequence[float]]


def harmonic_mean(action_seen: float, action_unseen: Accuracies, scene_seen: float,
                  scene_unseen: Accuracies, round_components: Optional[int] = None) -> float:
    """H.M. = 4 / (1/a_seen + 1/a_unseen + 1/s_seen + 1/s_unseen) (DEVIAS, section 4.3).

    Args:
        action_seen: percent, in [0, 100].
        action_unseen: percent, or the accuracies of several unseen test sets,
            which are averaged arithmetically first.
        scene_seen: percent.
        scene_unseen: as ``action_unseen``.
        round_components: round the four components half up to this many
            decimals first. The values printed in the paper are those of its
            printed components, i.e. ``round_components=1``.

    Returns:
        float: percent; 0 if a component is 0, NaN if one is NaN.

    Raises:
        ValueError: a component is outside [0, 100].
    """
    parts = [np.mean(np.atleast_1d(np.asarray(part, dtype=np.float64)))
             for part in (action_seen, action_unseen, scene_seen, scene_unseen)]
    if round_components is not None:
        parts = [round_half_up(part, round_components) for part in parts]
    names = ('action_seen', 'action_unseen', 'scene_seen', 'scene_unseen')
    for name, part in zip(names, parts):
        if part < 0 or part > 100:
            raise ValueError(f'{name}={part:g} is not an accuracy in percent: '
                             'it must lie in [0, 100]')
    return float(harmonic(np.array(parts)))


def harmonic(components: np.ndarray) -> np.ndarray:
    """Harmonic mean along the first axis of non-negative values; 0 where one is 0."""
    components = np.asarray(components, dtype=np.float64)
    positive = (components > 0).all(axis=0)
    inverse = 1.0 / np.where(components == 0, 1.0, components)
    mean = len(components) / inverse.sum(axis=0)
    return np.where(positive | np.isnan(components).any(axis=0), mean, 0.0)


def round_half_up(value: float, decimals: int) -> float:
    """Round as tables are printed (16.75 -> 16.8), not to even."""
    scale = 10.0 ** decimals
    # the small term undoes the binary representation of e.g. 62.15
    return float(np.floor(value * scale + 0.5 + 1e-9) / scale)
