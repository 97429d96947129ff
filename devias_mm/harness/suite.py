"""Suites: which methods x seeds, on which splits, make a table."""
import runpy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from devias_mm.harness.recipes import Change

TASKS = ('action', 'scene')
# columns that a split must not be named after
RESERVED = ('method', 'action_seen', 'action_unseen', 'scene_seen', 'scene_unseen', 'hm',
            'action_unseen_all', 'scene_unseen_all', 'hm_all', 'n_seeds', 'sberr_unseen', 'bor',
            'hor', 'n_unreadable', 'on_error')
# attributes of a suite that name the splits of a column
COLUMNS = ('action_seen', 'action_unseen', 'scene_seen', 'scene_unseen', 'action_unseen_all',
           'scene_unseen_all', 'sberr_splits', 'swap_sets')


@dataclass(frozen=True)
class Method:
    """One row of a table.

    Attributes:
        config: config file, relative to the repository's root; with a
            ``checkpoint`` also ``mmaction::recognition/...``, one of MMAction2's.
        label: name in tables and figures.
        paper: where the method was published, e.g. ``'ECCV 2024'``.
        predicts: what it predicts, of ``'action'`` and ``'scene'``.
        change: what the row changes in the config, see
            :func:`devias_mm.harness.recipes.apply_change`.
        overrides: changes to the config as ``--cfg-options`` takes them,
            ``{'train_cfg.max_epochs': 12}``.
        checkpoint: released weights of an MMAction2 model, a URL or file: the
            method is not trained, and ``tools/test_bias.py`` tests it. A file of the
            URL's name in ``checkpoints/`` is used instead of a download.
        pretrain: the method whose weights this training starts from
            (``load_from``), with the same seed, in the same command. One that
            several methods name, or that is a row itself, is trained once.
        derived: ``(config entry, tool)``, what this training takes from ``pretrain``
            in place of its weights: ``TOOL CONFIG CHECKPOINT --out FOLDER`` is
            called, and the entry is set to the folder.
    """
    config: str
    label: str = ''
    paper: str = ''
    predicts: Tuple[str, ...] = TASKS
    change: Change = field(default_factory=dict)
    overrides: Mapping[str, Any] = field(default_factory=dict)
    checkpoint: str = ''
    pretrain: Optional['Method'] = None
    derived: Tuple[str, ...] = ()

    def __post_init__(self):
        if self.derived and not self.pretrain:
            raise ValueError(f'{self.config}: derived={self.derived!r} needs a pretrain')
        unknown = [task for task in self.predicts if task not in TASKS]
        if unknown or not self.predicts:
            raise ValueError(f'{self.config}: predicts={self.predicts!r} must name one or both '
                             f'of {", ".join(TASKS)}')


@dataclass(frozen=True)
class Variant:
    """One setting of a ladder, in which every method is trained and tested.

    Attributes:
        x: position on the ladder's axis.
        overrides: changes to every method's config.
    """
    x: float
    overrides: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Suite:
    """A training set, its methods and seeds, its test splits and the columns of its table.

    Attributes:
        name: folder of its results; of a suite file, its stem.
        title: heading of its tables.
        methods: method name -> :class:`Method`, in the order of the table.
        splits: names of the test splits.
        seeds: one run per seed and method.
        sets: test sets that consist of several draws, name -> splits, such as
            ``{'hat-far': ('hat-far/1', 'hat-far/2', 'hat-far/3')}``. A set stands
            wherever a column names a split and counts as one: the mean of its draws.
        action_seen, action_unseen, scene_seen, scene_unseen: the splits or sets
            whose accuracies are averaged into the column of that name.
        action_unseen_all, scene_unseen_all: likewise, of a second, larger
            protocol (DEVIAS Tables 7 and 8); with them goes ``hm_all``.
        action_topk, scene_topk: top-k accuracy that the columns hold.
        sberr_splits: action-swap splits or sets; their mean swap-background
            error is the column ``sberr_unseen``.
        swap_sets: action-swap splits or sets that get SHAcc and SBErr columns each
            (HAT, section 3.3).
        optional_splits: further splits of the data config, tested where ``--splits`` names them.
        optional_swap_sets: sets of draws of action-swap splits, likewise.
        contrasted: column -> (SCUBA split, SCUFO split), whose contrasted accuracy it holds
            (StillMix) where both are tested.
        background_only, human_only: splits of the ratios ``bor`` and ``hor``
            to the accuracy of ``action_seen``.
        data_manifest: file that must exist before a job starts, relative to the
            repository's root; its checksum is part of a job's identity.
        data_command: command that makes it.
        scene_label_command: command that makes the scene labels of the test splits, where
            their lists have none.
        data_config: config that defines the test splits, relative to the repository's
            root: what ``tools/test_bias.py`` tests models from elsewhere on.
        variants: name -> :class:`Variant`; a suite with variants is a ladder.
        variant_axis: name of the ladder's axis.
        breaking_accuracy: a method breaks where its ``action_unseen`` falls
            below this percentage.
    """
    name: str
    title: str
    methods: Mapping[str, Method]
    splits: Tuple[str, ...]
    seeds: Tuple[int, ...] = (0, )
    action_seen: Tuple[str, ...] = ()
    action_unseen: Tuple[str, ...] = ()
    scene_seen: Tuple[str, ...] = ()
    scene_unseen: Tuple[str, ...] = ()
    sets: Mapping[str, Tuple[str, ...]] = field(default_factory=dict)
    action_unseen_all: Tuple[str, ...] = ()
    scene_unseen_all: Tuple[str, ...] = ()
    action_topk: int = 1
    scene_topk: int = 1
    sberr_splits: Tuple[str, ...] = ()
    swap_sets: Tuple[str, ...] = ()
    optional_splits: Tuple[str, ...] = ()
    optional_swap_sets: Mapping[str, Tuple[str, ...]] = field(default_factory=dict)
    contrasted: Mapping[str, Tuple[str, str]] = field(default_factory=dict)
    background_only: Optional[str] = None
    human_only: Optional[str] = None
    data_manifest: Optional[str] = None
    data_command: str = ''
    scene_label_command: str = ''
    data_config: str = ''
    variants: Mapping[str, Variant] = field(default_factory=dict)
    variant_axis: str = 'rho'
    breaking_accuracy: float = 80.0

    def __post_init__(self):
        columns = [part for name in COLUMNS for part in getattr(self, name)]
        named = [*self.splits_of(columns),
                 *filter(None, (self.background_only, self.human_only))]
        unknown = sorted(set(named) - set(self.splits))
        if unknown:
            raise ValueError(f'suite {self.name!r}: its columns use the split(s) '
                             f'{", ".join(unknown)}, which are not among its splits: '
                             f'{", ".join(self.splits)}')
        taken = sorted({*self.splits, *self.sets, *self.optional_splits, *self.contrasted}
                       & set(RESERVED))
        if taken:
            raise ValueError(f'suite {self.name!r}: a split cannot be named {taken[0]!r}, which '
                             'is a column of the table: rename the split')

    def only(self, splits: Sequence[str]) -> 'Suite':
        """The suite of some of its splits; columns and sets that need others lose those.

        Args:
            splits: names of splits, optional ones among them, of sets, or patterns of
                these such as ``'hat-*'``.

        Raises:
            ValueError: a name selects nothing.
        """
        from devias_mm.engine.launch import choose_splits  # imports torch
        sets = {**self.sets, **self.optional_swap_sets}
        known = dict.fromkeys([*self.splits, *self.optional_splits, *(
            split for draws in self.optional_swap_sets.values() for split in draws)])
        splits = choose_splits(known, [
            split for name in splits for split in sets.get(name, (name, ))])
        sets = {name: tuple(split for split in draws if split in splits)
                for name, draws in sets.items()}
        sets = {name: draws for name, draws in sets.items() if draws}
        columns = {name: tuple(part for part in getattr(self, name)
                               if part in sets or part in splits) for name in COLUMNS}
        columns['swap_sets'] += tuple(name for name in self.optional_swap_sets if name in sets)
        single = {name: getattr(self, name) if getattr(self, name) in splits else None
                  for name in ('background_only', 'human_only')}
        if not columns['action_seen']:  # what the ratios are relative to
            single = dict.fromkeys(single)
        return replace(self, splits=tuple(split for split in known if split in splits),
                       optional_splits=(), optional_swap_sets={}, sets=sets, **columns, **single)

    @property
    def contrasts(self) -> Dict[str, Tuple[str, str]]:
        """The contrasted accuracies of the splits that are tested."""
        return {name: pair for name, pair in self.contrasted.items()
                if set(pair) <= set(self.splits)}

    def with_methods(self, methods: Mapping[str, Method]) -> 'Suite':
        """The suite with other methods."""
        return replace(self, methods=methods)

    def splits_of(self, names: Sequence[str]) -> List[str]:
        """The splits of splits and sets, each once."""
        return list(dict.fromkeys(
            split for name in names for split in self.sets.get(name, (name, ))))

    def select(self, names: Optional[Sequence[str]] = None) -> Dict[str, Method]:
        """The named methods (``None`` or ``['all']``: all), in the order of the table.

        Raises:
            ValueError: a name is unknown.
        """
        if not names or list(names) == ['all']:
            return dict(self.methods)
        unknown = [name for name in names if name not in self.methods]
        if unknown:
            raise ValueError(f'unknown method {unknown[0]!r} in suite {self.name!r}: use '
                             f'{", ".join(self.methods)}, or all')
        return {name: self.methods[name] for name in self.methods if name in names}


def load_suite(path: Union[str, Path], root: Union[str, Path] = '.') -> Suite:
    """Load the ``suite`` of a Python file such as ``benchmarks/puppets.py``.

    Args:
        path: the file, with or without ``.py``, from here or from ``root``.
        root: the repository's root.

    Raises:
        ValueError: there is no such file, or it defines no ``suite``.
    """
    given = Path(path)
    file = given if given.suffix == '.py' else Path(f'{given}.py')
    for candidate in (file, Path(root) / file, Path(root) / 'benchmarks' / file):
        if candidate.is_file():
            break
    else:
        known = ', '.join(f'benchmarks/{p.name}' for p in list_suites(root)) or 'none'
        raise ValueError(f'unknown suite {str(path)!r}; known suites: {known}')
    suite = runpy.run_path(str(candidate)).get('suite')
    if not isinstance(suite, Suite):
        raise ValueError(f'{candidate} must define `suite = Suite(...)` '
                         '(from devias_mm.harness import Method, Suite)')
    return suite


def list_suites(root: Union[str, Path] = '.') -> List[Path]:
    """The suite files of a repository."""
    return sorted(p for p in (Path(root) / 'benchmarks').glob('*.py') if p.name[0] != '_')
