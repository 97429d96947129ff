"""Rows of suites as configs: ``SUITE.py:METHOD`` wherever a config file is named."""
import argparse
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
    if not suite.data.config:
        raise SuiteError(f'suite {suite.name!r} names no `data.config` with the test splits that '
                         f'{method.config} is to be tested on')
    from mmengine.config import Config
    is_released = '::' in method.config
    path = find_config(method.config if is_released else Path(root) / method.config)
    cfg = adapt_config(Config.fromfile(str(path)), read_recipe(suite.data.config, root))
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


def load_config(args: argparse.Namespace, root: Path = ROOT) -> 'Config':
    """Load the config or row that a command line names, with the command line's changes.

    Args:
        args: has the options of :func:`devias_mm.cli.add_config_options` and
            :func:`devias_mm.cli.add_launch_options`.
        root: the repository's root.

    Raises:
        UserError: there is no such file, suite or row.
    """
    from devias_mm.engine import config  # imports torch
    row = parse_row(args.config)
    if row is None:
        return config.load_config(args)
    cfg = read_config(args.config, root)
    import_custom_modules(cfg)
    config.override_config(cfg, args)
    if args.work_dir is None:
        cfg.work_dir = f'work_dirs/{row.stem}'
    return cfg


def import_custom_modules(cfg: 'Config') -> None:
    """Import what the config asks for, as MMEngine does when it reads a file."""
    from mmengine.utils import import_modules_from_strings
    if cfg.get('custom_imports'):
        import_modules_from_strings(**cfg.custom_imports)


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


def config_text(row: RowName, root: Path = ROOT, out: Optional[Path] = None) -> str:
    """Return the runnable config of a row as the text of a Python file."""
    suite = load_suite(row.suite, root)
    cfg = row_config(suite, row, root, out)
    method = suite.methods[row.method]
    lines = [f'# {method.label or row.method} of {row.suite}, resolved: {method.config}, with',
             '# what the row changes in it. Train it with tools/train.py and this file.']
    if method.pretrain is not None:
        lines += [f'# It starts from the training of {method.pretrain.config}, which',
                  f'# `python tools/benchmark.py run {row.suite} --methods {row.method}` makes.']
    return '\n'.join(lines) + '\n' + cfg.pretty_text
