"""Rows of suites as configs: ``SUITE.py:METHOD`` wherever a config file is named."""
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Optional

from devias_mm.errors import SuiteError
from devias_mm.harness.recipes import ROOT, Change, apply_change, read_recipe
from devias_mm.harness.suite import Method, Suite, load_suite

if TYPE_CHECKING:  # MMEngine imports torch, which a table does not need
    from mmengine.config import Config


class RowName(NamedTuple):
    """What names a row: a suite file, a method and, in a ladder, a variant."""
    suite: str
    method: str
    variant: str = ''

    @property
    def stem(self) -> str:
        """The row as a part of a path: ``puppets_ladder/fame@rho0.90``."""
        name = f'{self.method}@{self.variant}' if self.variant else self.method
        return f'{Path(self.suite).stem}/{name}'


def parse_row(text: str) -> Optional[RowName]:
    """Read ``SUITE.py:METHOD`` or ``SUITE.py:METHOD@VARIANT``; ``None`` for the path of a file.

    Example::

        >>> parse_row('benchmarks/puppets_ladder.py:fame@rho0.90')
        RowName(suite='benchmarks/puppets_ladder.py', method='fame', variant='rho0.90')
    """
    suite, separator, row = text.rpartition('.py:')
    if not separator:
        return None
    method, _, variant = row.partition('@')
    return RowName(f'{suite}.py', method, variant)


def check_variant(suite: Suite, variant: str) -> None:
    """Check that a suite has a variant of this name, or none where it has none.

    Raises:
        SuiteError: it has not.
    """
    if variant in (suite.variants or ('', )):
        return
    known = ', '.join(suite.variants) or 'it has none'
    raise SuiteError(f'suite {suite.name!r} has no variant {variant!r}; its variants: {known}')


def resolve(suite: Suite, method: Method, variant: str = '', options: Change = (),
            root: Path = ROOT) -> 'Config':
    """Return the config of a row: its recipe with all changes.

    Args:
        suite: the suite of the row.
        method: the method.
        variant: name of a variant of the suite.
        options: further changes, such as those of a smoke run.
        root: the repository's root.
    """
    cfg = _released(suite, method, root) if method.checkpoint else read_recipe(method.config, root)
    apply_change(cfg, method.change)
    if variant:
        apply_change(cfg, suite.variants[variant].change)
    apply_change(cfg, options)
    return cfg


def _released(suite: Suite, method: Method, root: Path) -> 'Config':
    """Return the config of a released model in front of the test splits of the suite."""
    from devias_mm.engine.any_model import adapt_config, find_config  # imports the models
    if not suite.data_config:
        raise SuiteError(f'suite {suite.name!r} names no `data_config` with the test splits that '
                         f'{method.config} is to be tested on')
    from mmengine.config import Config
    is_released = '::' in method.config
    path = find_config(method.config if is_released else Path(root) / method.config)
    cfg = adapt_config(Config.fromfile(str(path)), read_recipe(suite.data_config, root))
    cfg.load_from = method.checkpoint
    return cfg


def read_config(name: str, root: Path = ROOT, out: Optional[Path] = None) -> 'Config':
    """Read a config file, or the config of a row.

    The weights that a row's training starts from are those that ``tools/benchmark.py run`` makes.

    Args:
        name: path of a config file, or ``SUITE.py:METHOD[@VARIANT]``.
        root: the repository's root.
        out: folder of all results; ``work_dirs/benchmarks`` by default.

    Raises:
        UserError: there is no such file, suite or row.
    """
    row = parse_row(name)
    if row is None:
        return read_recipe(Path(name).absolute(), root)
    return row_config(load_suite(row.suite, root), row, root, out)


def row_config(suite: Suite, row: RowName, root: Path = ROOT, out: Optional[Path] = None
               ) -> 'Config':
    """Return the runnable config of a row, with the first seed of its suite."""
    from devias_mm.harness.plan import Planner
    method, = suite.select([row.method]).values()
    check_variant(suite, row.variant)
    planner = Planner(suite, root, out or default_out(root))
    cfg = planner.plan(row.method, method, row.variant, suite.seeds[0]).cfg
    cfg.pop('work_dir', None)
    return cfg


def default_out(root: Path = ROOT) -> Path:
    """Return the folder of all results."""
    return Path(root) / 'work_dirs' / 'benchmarks'
