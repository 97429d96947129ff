"""What a suite tests and what it tells of it: data, splits, metrics, the axis of a ladder."""
from dataclasses import dataclass, field, replace
from typing import Any, List, Mapping, Optional, Sequence, Tuple

from devias_mm.errors import SuiteError
from devias_mm.evaluation.metrics import Contrast, Metric
from devias_mm.evaluation.reference import Reference
from devias_mm.harness.recipes import Change
from devias_mm.splits import choose_splits

# columns of a table that are no metric's
RESERVED = ('method', 'n_seeds', 'n_unreadable', 'on_error')


@dataclass(frozen=True)
class Data:
    """Where the test splits of a suite come from.

    Attributes:
        config: config that defines the test splits, relative to the repository's root: what
            ``tools/test_bias.py`` tests models from elsewhere on.
        manifest: file that must exist before a job starts, relative to the repository's root;
            its checksum is part of a job's identity.
        command: command that makes it.
        scene_label_command: command that makes the scene labels of the test splits, where their
            lists have none.
    """
    config: str = ''
    manifest: Optional[str] = None
    command: str = ''
    scene_label_command: str = ''


@dataclass(frozen=True)
class Protocol:
    """The test splits of a suite and the metrics of its table.

    Attributes:
        splits: names of the test splits.
        metrics: the columns of the table. Those whose splits are not tested are left out.
        sets: test sets that consist of several draws, name -> splits, such as
            ``{'hat-far': ('hat-far/1', 'hat-far/2', 'hat-far/3')}``. A metric may name a set
            like a split; it counts as one: the mean of its draws.
        optional_splits: further splits of the data config, tested where ``--splits`` names them.
        topk: the guesses among which a right answer counts, of ``'action'`` and ``'scene'``; 1
            by default.
        rank_by: metrics that order the rows of the table; the second breaks the ties of the
            first, and so on.
        scatter: figure of one metric against another, title -> (x, y).
        references: the papers' tables that are shown beside ours.

    Example::

        Protocol(
            splits=('seen', 'unseen'),
            metrics=(*seen_unseen(action_seen=('seen', ), action_unseen=('unseen', )),
                     *per_split(('seen', 'unseen'))),
            rank_by=('action_unseen', ))
    """
    splits: Tuple[str, ...]
    metrics: Tuple[Metric, ...]
    sets: Mapping[str, Tuple[str, ...]] = field(default_factory=dict)
    optional_splits: Tuple[str, ...] = ()
    topk: Mapping[str, int] = field(default_factory=dict)
    rank_by: Tuple[str, ...] = ()
    scatter: Mapping[str, Tuple[str, str]] = field(default_factory=dict)
    references: Tuple[Reference, ...] = ()

    def __post_init__(self):
        known = {*self.splits, *self.optional_splits, *self.sets}
        names: List[str] = list(RESERVED)
        for metric in self.metrics:
            unknown = [split for split in self._splits_of_metric(metric) if split not in known]
            if unknown:
                raise SuiteError(f'metric {metric.name!r} uses the split {unknown[0]!r}, which is '
                                 f'not among the splits: {", ".join(sorted(known))}')
            if metric.name in names:
                raise SuiteError(f'two columns of the table are named {metric.name!r}: rename '
                                 'the split or the metric')
            names.append(metric.name)
        used = list(self.rank_by)
        for pair in self.scatter.values():
            used += pair
        for name in used:
            if name not in names:
                raise SuiteError(f'there is no metric {name!r} to rank or plot by: use one of '
                                 f'{", ".join(names)}')

    @property
    def columns(self) -> Tuple[Metric, ...]:
        """The metrics whose splits are tested."""
        return tuple(metric for metric in self.metrics if self._is_tested(metric))

    def metric(self, name: str) -> Metric:
        """Return the metric of that name."""
        return next(metric for metric in self.metrics if metric.name == name)

    def splits_of(self, names: Sequence[Any]) -> List[Any]:
        """Return the splits of splits and sets, each once."""
        splits: List[Any] = []
        for name in names:
            splits += self.sets.get(name, (name, ))
        return list(dict.fromkeys(splits))

    def tested(self, names: Sequence[Any]) -> List[Any]:
        """Return those of some splits, sets and pairs of splits that are tested."""
        return [name for name in names if self._has(name)]

    def only(self, splits: Sequence[str]) -> 'Protocol':
        """Return the protocol of some of its splits; metrics that need others are left out.

        Args:
            splits: names of splits, optional ones among them, of sets, or patterns of
                these such as ``'hat-*'``.

        Raises:
            UsageError: a name selects nothing.
        """
        known = (*self.splits, *self.optional_splits)
        chosen = choose_splits(known, self.splits_of(splits))
        tested = tuple(split for split in known if split in chosen)
        others = tuple(split for split in known if split not in chosen)
        sets = {}
        for name, draws in self.sets.items():
            # a set without draws stays known, because metrics name it
            sets[name] = tuple(split for split in draws if split in chosen)
        return replace(self, splits=tested, optional_splits=others, sets=sets)

    def _is_tested(self, metric: Metric) -> bool:
        found = self.tested(metric.splits)
        if metric.of_tested:
            return bool(found)
        return len(found) == len(metric.splits)

    def _has(self, name: Any) -> bool:
        if isinstance(name, Contrast):
            return set(name) <= set(self.splits)
        draws = self.sets.get(name, (name, ))
        return bool(draws) and set(draws) <= set(self.splits)

    @staticmethod
    def _splits_of_metric(metric: Metric) -> List[str]:
        names: List[str] = []
        for split in metric.splits:
            names += list(split) if isinstance(split, Contrast) else [split]
        return names


@dataclass(frozen=True)
class Variant:
    """One setting of a ladder, in which every method is trained and tested.

    Attributes:
        x: position on the ladder's axis.
        change: what it changes in every method's config, and in those of their pre-trainings.
    """
    x: float
    change: Change = field(default_factory=dict)


@dataclass(frozen=True)
class Ladder:
    """Settings of growing difficulty: where does a method break?

    Attributes:
        variants: name -> :class:`Variant`.
        curves: columns ``<curve>@<x>`` of the table, curve -> metric of the protocol. A method
            breaks on the first curve.
        axis: name of the axis.
        breaking_accuracy: a method breaks where its first curve falls below this percentage.

    Example::

        Ladder({'rho0.70': Variant(0.7, {...}), 'rho0.90': Variant(0.9, {...})},
               curves={'unseen': 'action_unseen'})
    """
    variants: Mapping[str, Variant]
    curves: Mapping[str, str] = field(default_factory=lambda: {
        'unseen': 'action_unseen', 'seen': 'action_seen'})
    axis: str = 'rho'
    breaking_accuracy: float = 80.0
