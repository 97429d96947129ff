"""Bootstrap confidence intervals over videos."""
from typing import Callable, Dict, Hashable, Iterator, List, Mapping, NamedTuple, Sequence, Tuple

import numpy as np

from devias_mm.evaluation.accuracy import mean_percent

Hits = Mapping[Hashable, np.ndarray]
Statistic = Callable[[Dict[Hashable, np.ndarray]], np.ndarray]

# resampled entries that are held in memory at once
_BATCH_ENTRIES = 4_000_000
# of larger splits it is drawn how often each kind of video occurs, not each video
_LARGE_SPLIT = 100_000


class Interval(NamedTuple):
    """A value with its confidence interval, in the unit of the value."""
    value: float
    lo: float
    hi: float


class Case(NamedTuple):
    """A number that is asked for with its interval; see :func:`bootstrap` for the arguments."""
    hits: Hits
    statistic: Statistic


def sample_std(values: Sequence[float]) -> float:
    """Return the sample standard deviation over seeds or draws; NaN of a single value."""
    values = np.asarray(values, dtype=np.float64)
    if values.size < 2:
        return float('nan')
    return float(values.std(ddof=1))


def bootstrap(hits: Hits,
              statistic: Statistic,
              n_resamples: int = 2000,
              confidence: float = 0.95,
              seed: int = 0) -> Interval:
    """Return a statistic of the accuracies of some splits with its percentile interval.

    Videos are resampled with replacement, each split by itself. All entries of
    a video stay together, so that a composite of action and scene accuracy
    (H.M.), or a mean over seeds, sees the same resampled videos.

    Args:
        hits: per split the correctness ``(..., n_videos)``: 1 correct, 0 wrong,
            NaN without a label. The leading axes (seeds, tasks ...) are free.
        statistic: takes ``{split: percent (..., )}``, returns the value. Must
            broadcast: under resampling the percents have one more, last axis.
        n_resamples: number of bootstrap samples.
        confidence: coverage of the interval, in (0, 1).
        seed: seed of the resampling; equal seeds give equal intervals.

    Returns:
        Interval: ``lo = hi = value`` where all videos agree or there is only
        one; all NaN where the statistic is NaN (nothing is labelled).

    Raises:
        ValueError: a split without videos, or ``confidence`` outside (0, 1).

    Example::

        >>> hits = {'seen': np.array([1.0, 1.0, 0.0, 1.0])}
        >>> bootstrap(hits, lambda percent: percent['seen'])
        Interval(value=75.0, lo=25.0, hi=100.0)
    """
    interval, = bootstrap_all([Case(hits, statistic)], n_resamples, confidence, seed)
    return interval


def bootstrap_all(cases: Sequence[Case],
                  n_resamples: int = 2000,
                  confidence: float = 0.95,
                  seed: int = 0) -> List[Interval]:
    """Return the intervals of many statistics, each as :func:`bootstrap` would.

    Statistics of splits of the same sizes see the same resamples, which are drawn once.

    Args:
        cases: what to compute.
        n_resamples, confidence, seed: see :func:`bootstrap`.
    """
    if not 0 < confidence < 1:
        raise ValueError(f'confidence={confidence} must be in (0, 1), e.g. 0.95')
    intervals: List[Interval] = []
    # cases that share their resamples, by their places in the list
    groups: Dict[Tuple, List[int]] = {}
    for place, case in enumerate(cases):
        value = _value(case)
        intervals.append(Interval(value, value, value))
        sizes = [np.shape(correct)[-1] for correct in case.hits.values()]
        if not np.isnan(value) and max(sizes) > 1:
            population = _population(case, sizes)
            groups.setdefault(population, []).append(place)
    tail = (1 - confidence) / 2
    for places in groups.values():
        group = [cases[place] for place in places]
        samples = _sampled_statistics(group, n_resamples, seed)
        for place, sampled in zip(places, samples):
            lo, hi = np.quantile(sampled, [tail, 1 - tail])
            value = intervals[place].value
            intervals[place] = Interval(value, float(lo), float(hi))
    return intervals


def bootstrap_accuracy(correct: np.ndarray, **kwargs) -> Interval:
    """Return a plain accuracy with its interval.

    Args:
        correct: ``(n_videos,)``: 1, 0, or NaN without a label (left out).
        kwargs: as for :func:`bootstrap`.
    """
    correct = np.asarray(correct, dtype=np.float64)
    correct = correct[~np.isnan(correct)]
    if correct.size == 0:
        return Interval(float('nan'), float('nan'), float('nan'))
    return bootstrap({'all': correct}, lambda percent: percent['all'], **kwargs)


def _value(case: Case) -> float:
    """Return the statistic of the videos as they are."""
    for split, values in case.hits.items():
        if np.shape(values)[-1] == 0:
            raise ValueError(f'split {split!r} holds no videos: nothing to resample')
    percent = {split: mean_percent(values) for split, values in case.hits.items()}
    value = np.asarray(case.statistic(percent))
    return float(value)


def _population(case: Case, sizes: Sequence[int]) -> Tuple:
    """Return what cases must share to share their resamples."""
    if max(sizes) > _LARGE_SPLIT:
        # the kinds of videos differ from one model to the next
        return tuple(id(values) for values in case.hits.values())
    return tuple(sizes)


def _sampled_statistics(cases: Sequence[Case], n_resamples: int, seed: int) -> List[np.ndarray]:
    """Return the statistic of each resample for cases of one population, each ``(R,)``."""
    sampled: List[List[np.ndarray]] = [[] for _ in cases]
    samples = [_Sample(values) for values in cases[0].hits.values()]
    for weights in _draw(samples, n_resamples, np.random.default_rng(seed)):
        known: Dict[Tuple[int, int], np.ndarray] = {}
        for case, results in zip(cases, sampled):
            percent = {}
            for place, (split, values) in enumerate(case.hits.items()):
                # the columns of a table share most of their splits
                key = id(values), place
                if key not in known:
                    known[key] = samples[place].percent(values, weights[place])
                percent[split] = known[key]
            results.append(np.asarray(case.statistic(percent)))
    return [np.concatenate(results) for results in sampled]


def _draw(samples: Sequence['_Sample'], n_resamples: int, rng: np.random.Generator
          ) -> Iterator[List[np.ndarray]]:
    """Yield batches of resamples: of each split, how often each of its entries is drawn."""
    entries = 0
    for sample in samples:
        if len(sample.counts) > 1:
            entries += len(sample.counts)
    batch = max(1, _BATCH_ENTRIES // max(entries, 1))
    for start in range(0, n_resamples, batch):
        number = min(batch, n_resamples - start)
        yield [sample.draw(number, rng) for sample in samples]


class _Sample:
    """The videos of a split, or the kinds of videos of a large one, to draw from.

    Args:
        values: correctness ``(..., n)``.
    """

    def __init__(self, values: np.ndarray):
        self.size = np.shape(values)[-1]
        self.counts = np.ones(self.size, dtype=np.int64)
        self.first = None
        if self.size > _LARGE_SPLIT:
            # videos that all seeds and tasks agree on are exchangeable
            self.first, self.counts = _kinds(values)

    def draw(self, number: int, rng: np.random.Generator) -> np.ndarray:
        """Return how often each entry is in each of ``number`` resamples: ``(entries, R)``."""
        if self.size == 1:
            return np.ones((1, number), dtype=np.float32)
        if self.first is not None:
            shares = self.counts / self.size
            return rng.multinomial(self.size, shares, size=number).T
        rows = rng.integers(0, self.size, (number, self.size))
        # each resample has numbers of its own, so that one count serves all
        rows += self.size * np.arange(number)[:, None]
        counts = np.bincount(rows.ravel(), minlength=number * self.size)
        counts = counts.reshape(number, self.size)
        return counts.T.astype(np.float32)

    def percent(self, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the percent of each resample, ``(..., n)`` -> ``(..., R)``.

        All entries of a video share its weight: one product replaces copies of them.
        """
        values = np.asarray(values, dtype=np.float64)
        if self.first is not None:
            values = values[..., self.first]
        shape = values.shape[:-1]
        rows = values.reshape(-1, values.shape[-1])
        labelled = ~np.isnan(rows)
        filled = np.where(labelled, rows, 0.0)
        precision = np.float64
        if self.first is None and np.isin(filled, (0.0, 1.0)).all():
            # whole numbers below 2^24 are exact in float32
            precision = np.float32
        weights = weights.astype(precision, copy=False)
        complete = labelled.all(axis=1)
        some = labelled.any(axis=1) & ~complete
        percent = np.full((len(rows), weights.shape[1]), np.nan)
        right = _product(filled[complete], weights)
        percent[complete] = 100.0 * right / self.size
        right = _product(filled[some], weights)
        size = _product(labelled[some], weights)
        with np.errstate(invalid='ignore'):  # 0 / 0: none of the labelled videos was drawn
            percent[some] = 100.0 * right / size
        return percent.reshape(*shape, -1)


def _product(rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return ``rows @ weights`` in the precision of the weights, as float64."""
    product = rows.astype(weights.dtype) @ weights
    return product.astype(np.float64)


def _kinds(values: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Return the first video of each kind, and how many of the kind there are."""
    numbers = np.nan_to_num(np.asarray(values), nan=-1.0)
    rows = numbers.reshape(-1, numbers.shape[-1])
    kind = np.zeros(rows.shape[1], dtype=np.int64)
    for row in rows:
        _, code = np.unique(row, return_inverse=True)
        # of each row another digit
        kind = kind * (code.max() + 1) + code
        # renumbered, because many rows would make too large a number
        _, kind = np.unique(kind, return_inverse=True)
    _, first, counts = np.unique(kind, return_index=True, return_counts=True)
    return first, counts
