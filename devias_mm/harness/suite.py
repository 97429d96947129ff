"""Suites: which methods x seeds, on which splits, make a table."""
import runpy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence, Tuple, Union

from devias_mm.errors import SuiteError
from devias_mm.evaluation.hits import TASKS
from devias_mm.harness.protocol import Data, Ladder, Protocol, Variant
from devias_mm.harness.recipes import Change


@dataclass(frozen=True)
class Method:
    """One row of a table: a recipe, and what the row changes in it.

    Attributes:
        config: config file, relative to the repository's root; with a
            ``checkpoint`` also ``mmaction::recognition/...``, one of MMAction2's.
        label: name in tables and figures.
        paper: where the method was published, e.g. ``'ECCV 2024'``.
        predicts: what it predicts, of ``'action'`` and ``'scene'``.
        change: what the row changes in the config, see
            :func:`devias_mm.harness.recipes.apply_change`.
        checkpoint: released weights of an MMAction2 model, a URL or file: the
            method is not trained, only tested. A file of the URL's name in
            ``checkpoints/`` is used instead of a download.
        pretrain: the method whose weights this training starts from
            (``load_from``), with the same seed, in the same command. Trainings
            with the same resolved config are one run, whichever rows and
            suites name them.
        derived: ``(config entry, tool)``, what this training takes from ``pretrain``
            in place of its weights: ``TOOL CONFIG CHECKPOINT --out FOLDER`` is
            called, and the entry is set to the folder.

    Example::

        >>> naive = Method('configs/naive/NAME.py', 'Naive Action', predicts=('action', ))
        >>> Method('configs/albar/NAME.py', 'ALBAR', 'ICLR 2025', ('action', ),
        ...        change=dict(train_cfg=dict(max_epochs=50)), pretrain=naive)
    """
    config: str
    label: str = ''
    paper: str = ''
    predicts: Tuple[str, ...] = TASKS
    change: Change = field(default_factory=dict)
    checkpoint: str = ''
    pretrain: Optional['Method'] = None
    derived: Tuple[str, ...] = ()

    def __post_init__(self):
        if self.pretrain is not None and not isinstance(self.pretrain, Method):
            raise SuiteError(f'{self.config}: pretrain={self.pretrain!r} must be a Method, such as '
                             "Method('configs/...') or a row of another suite")
        if self.derived and self.pretrain is None:
            raise SuiteError(f'{self.config}: derived={self.derived!r} needs a pretrain')
        unknown = [task for task in self.predicts if task not in TASKS]
        if unknown or not self.predicts:
            raise SuiteError(f'{self.config}: predicts={self.predicts!r} must name one or both '
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
            raise SuiteError(f'unknown method {unknown[0]!r} in suite {self.name!r}: use '
                             f'{", ".join(self.methods)}, or all')
        return {name: self.methods[name] for name in self.methods if name in names}


def find_suite(path: Union[str, Path], root: Union[str, Path] = '.') -> Path:
    """Find a suite file.

    Args:
        path: the file, with or without ``.py``, from here, from ``root`` or from its
            ``benchmarks/``.
        root: the repository's root.

    Raises:
        SuiteError: there is no such file.
    """
    file = Path(path)
    if file.suffix != '.py':
        file = Path(f'{path}.py')
    for candidate in (file, Path(root) / file, Path(root) / 'benchmarks' / file):
        if candidate.is_file():
            return candidate
    known = ', '.join(f'benchmarks/{p.name}' for p in list_suites(root)) or 'none'
    raise SuiteError(f'unknown suite {str(path)!r}; known suites: {known}')


# the suite files that were read, in turn: a suite file may load others
_files_read: List[Path] = []


def load_suite(path: Union[str, Path], root: Union[str, Path] = '.') -> Suite:
    """Load the ``suite`` of a Python file such as ``benchmarks/puppets.py``.

    Args:
        path: the file, with or without ``.py``, from here or from ``root``.
        root: the repository's root.

    Raises:
        SuiteError: there is no such file, or it defines no ``suite``.

    Example::

        >>> load_suite('benchmarks/puppets.py').methods['devias'].label
        'DEVIAS'
    """
    return load_suite_and_files(path, root)[0]


def load_suite_and_files(path: Union[str, Path], root: Union[str, Path] = '.'
                         ) -> Tuple[Suite, List[Path]]:
    """Load a suite, and list its file and the suite files that it loads itself."""
    file = find_suite(path, root)
    start = len(_files_read)
    _files_read.append(file.absolute())
    suite = runpy.run_path(str(file)).get('suite')
    if not isinstance(suite, Suite):
        raise SuiteError(f'{file} must define `suite = Suite(...)` '
                         '(from devias_mm.harness import Method, Suite)')
    return suite, list(dict.fromkeys(_files_read[start:]))


def list_suites(root: Union[str, Path] = '.') -> List[Path]:
    """List the suite files of a repository."""
    return sorted(p for p in (Path(root) / 'benchmarks').glob('*.py') if p.name[0] != '_')
