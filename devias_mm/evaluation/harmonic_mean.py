"""The main score of DEVIAS: the harmonic mean of seen/unseen action/scene accuracy."""
import numpy as np


def harmonic_mean(*components: np.ndarray) -> np.ndarray:
    """Return ``n / (1/c_1 + ... + 1/c_n)``.

    The H.M. of DEVIAS (section 4.3) is that of four components: action and scene accuracy on
    seen and on unseen combinations, the unseen accuracies of several test sets being averaged
    arithmetically first.

    Args:
        components: percent, in [0, 100]: numbers, or arrays that broadcast (seeds, resamples).

    Returns:
        np.ndarray: percent; 0 where a component is 0, NaN where one is NaN.

    Raises:
        ValueError: a component is outside [0, 100].

    Example::

        >>> float(harmonic_mean(80, 40))
        53.33333333333333
    """
    parts = np.stack(np.broadcast_arrays(*components))
    parts = parts.astype(np.float64)
    too_low = parts < 0
    too_high = parts > 100 + 1e-9
    outside = parts[too_low | too_high]
    if outside.size:
        raise ValueError(f'{outside[0]:g} is not an accuracy in percent: it must be in [0, 100]')
    zero = parts == 0
    inverse = 1.0 / np.where(zero, 1.0, parts)
    mean = len(parts) / inverse.sum(axis=0)
    is_zero = zero.any(axis=0) & ~np.isnan(mean)
    return np.where(is_zero, 0.0, mean)
