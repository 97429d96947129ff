"""Suites: which methods x seeds, on which splits, make a table."""
import runpy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from devias_mm.evaluation.hits import TASKS
from devias_mm.harness.protocol import Data, Ladder, Protocol, Variant
from devias_mm.harness.recipes import Change


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
        pretrain: config of a training whose weights this one starts from
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
    pretrain: str = ''
    derived: Tuple[str, ...] = ()

    def __post_init__(self):
        if self.derived and not self.pretrain:
            raise ValueError(f'{self.config}: derived={self.derived!r} needs a pretrain')
        unknown = [task for task in self.predicts if task not in TASKS]
        if unknown or not self.predicts:
            raise ValueError(f'{self.config}: predicts={self.predicts!r} must name one or both '
                             f'of {", ".join(TASKS)}')


@dataclass(frozen=True)
class Suite:
    """A training set, its methods and seeds, its test splits and the metrics of its table.

    Attributes:
        name: folder of its results; of a suite file, its stem.
        title: heading of its tables.
        data: where the test splits come from.
        methods: method name -> :class:`Method`, in the order of the table.
        protocol: the test splits and the metrics.
        seeds: one run per seed and method.
        ladder: the settings in which every method is trained and tested, if there are several.

    Example::

        suite = Suite(
            name='hmdb51',
            title='HMDB-51: top-1 accuracy in percent',
            data=Data('configs/_base_/datasets/hmdb51.py'),
            methods={'naive': Method('configs/naive/...', predicts=('action', ))},
            protocol=Protocol(splits=('test', ), metrics=seen_unseen(action_seen=('test', ))))
    """
    name: str
    title: str
    data: Data
    methods: Mapping[str, Method]
    protocol: Protocol
    seeds: Tuple[int, ...] = (0, )
    ladder: Optional[Ladder] = None

    @property
    def splits(self) -> Tuple[str, ...]:
        """The names of the test splits."""
        return self.protocol.splits

    @property
    def variants(self) -> Mapping[str, Variant]:
        """The settings of the ladder; empty in a suite without."""
        return self.ladder.variants if self.ladder else {}

    def only(self, splits: Sequence[str]) -> 'Suite':
        """Return the suite of some of its splits, see :meth:`Protocol.only`."""
        return replace(self, protocol=self.protocol.only(splits))

    def with_methods(self, methods: Mapping[str, Method]) -> 'Suite':
        """Return the suite with other methods."""
        return replace(self, methods=methods)

    def select(self, names: Optional[Sequence[str]] = None) -> Dict[str, Method]:
        """Return the named methods (``None`` or ``['all']``: all), in the order of the table.

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
