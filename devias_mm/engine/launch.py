"""The parts of the command lines under their former common name.

``config``, ``splits``, ``start`` and ``runner`` hold them; this module goes when the last tool
imports them from there.
"""
import argparse

from devias_mm.cli import add_config_options, add_launch_options
from devias_mm.engine.config import load_config, override_config, parse_options
from devias_mm.engine.runner import build_runner, describe_loader, describe_model, set_threads
from devias_mm.engine.splits import check_test_lists, split_dataset
from devias_mm.engine.start import check_load_from as check_start
from devias_mm.engine.start import check_pretrained
from devias_mm.splits import choose_splits

__all__ = ['KeyValueAction', 'add_common_arguments', 'build_runner', 'check_pretrained',
           'check_start', 'check_test_lists', 'choose_splits', 'describe_loader',
           'describe_model', 'load_config', 'override_config', 'parse_options', 'set_threads',
           'split_dataset']


class KeyValueAction(argparse.Action):
    """Check KEY=VALUE pairs; they are parsed when the config is loaded."""

    def __call__(self, parser, namespace, values, option_string=None):
        for value in values:
            if '=' not in value:
                parser.error(f'{option_string}: {value!r} is not of the form KEY=VALUE')
        setattr(namespace, self.dest, parse_options(values))


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of configs and launchers to a parser."""
    add_config_options(parser)
    add_launch_options(parser)
