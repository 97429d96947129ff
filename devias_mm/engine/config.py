"""Loading a config, with the changes that the command line makes."""
import argparse
import os.path as osp
from typing import Any, Dict, Iterator, List, Union

from mmengine.config import Config, ConfigDict, DictAction

from devias_mm.engine.check_keys import check_option_keys
from devias_mm.errors import MissingFileError, UsageError


def load_config(args: argparse.Namespace) -> Config:
    """Load the config and merge the options of :mod:`devias_mm.cli`.

    Args:
        args: with ``config``, and what ``add_config_options`` and ``add_launch_options`` add.

    Raises:
        MissingFileError: there is no such config.
        UsageError: ``--cfg-options`` do not go with it.
    """
    if not osp.isfile(args.config):
        raise MissingFileError(f'config not found: {args.config}. The shipped ones are under '
                               'configs/.')
    cfg = Config.fromfile(args.config)
    override_config(cfg, args)
    if cfg.get('work_dir') is None:
        cfg.work_dir = osp.join('work_dirs', osp.splitext(osp.basename(args.config))[0])
    return cfg


def override_config(cfg: Config, args: argparse.Namespace) -> None:
    """Merge the options of :mod:`devias_mm.cli` into a config; a tool may have fewer.

    Raises:
        UsageError: ``--cfg-options`` do not go with the config.
    """
    cfg.launcher = getattr(args, 'launcher', 'none')
    options = parse_options(getattr(args, 'cfg_options', None) or {})
    check_option_keys(cfg, options)
    try:
        cfg.merge_from_dict(options)
    except (AssertionError, IndexError, KeyError, TypeError) as error:  # a path that leads nowhere
        raise UsageError(f'--cfg-options do not go with the config: {error}') from error
    data_root = getattr(args, 'data_root', None)
    if data_root is not None:
        for node in dicts_in(cfg._cfg_dict):
            if 'data_root' in node:
                node['data_root'] = data_root
    work_dir = getattr(args, 'work_dir', None)
    if work_dir is not None:
        cfg.work_dir = work_dir


def parse_options(options: Union[List[str], Dict[str, Any]]) -> Dict[str, Any]:
    """Return the changes that ``KEY=VALUE`` texts make, parsed as MMEngine's tools do it.

    Example::

        parse_options(['train_cfg.max_epochs=2'])  # {'train_cfg.max_epochs': 2}
    """
    if isinstance(options, dict):
        return options
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args(['--cfg-options', *options]).cfg_options


def dicts_in(node: Any) -> Iterator[ConfigDict]:
    """Yield every dict in a part of a config, the part itself first."""
    children = ()
    if isinstance(node, dict):
        yield node
        children = node.values()
    elif isinstance(node, (list, tuple)):
        children = node
    for child in children:
        yield from dicts_in(child)
