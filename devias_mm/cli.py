"""What the command lines share. Nothing here imports torch: ``--help`` answers at once.

A tool is two functions and one call::

    def add_arguments(parser):
        parser.add_argument('config', help=CONFIG_HELP)
        add_config_options(parser)

    def main(args):
        from devias_mm.engine.config import load_config
        ...

    if __name__ == '__main__':
        run_tool(main, add_arguments, __doc__)
"""
import argparse
import sys
from typing import Callable, NoReturn, Optional, Sequence

from devias_mm.errors import UserError

LAUNCHERS = ('none', 'pytorch', 'slurm')
CONFIG_HELP = 'config file, or SUITE.py:METHOD, a row of a suite'


def make_parser(description: str) -> argparse.ArgumentParser:
    """Return a parser whose description keeps its lines."""
    return argparse.ArgumentParser(description=description,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)


def run_tool(main: Callable[[argparse.Namespace], Optional[int]],
             add_arguments: Callable[[argparse.ArgumentParser], None],
             description: str,
             argv: Optional[Sequence[str]] = None) -> NoReturn:
    """Parse the command line, run a tool and exit.

    A :class:`~devias_mm.errors.UserError` ends the tool with its message in one line and exit
    code 2, as does a file that cannot be opened for its rights or kind; Ctrl-C ends it with exit
    code 130. Any other exception is a defect and keeps its traceback.

    Args:
        main: takes the parsed arguments, returns an exit code or ``None``.
        add_arguments: adds the tool's arguments to a parser.
        description: shown by ``--help``, the docstring of the tool.
        argv: arguments; those of the process by default.
    """
    parser = make_parser(description)
    add_arguments(parser)
    args = parser.parse_args(argv)
    try:
        code = main(args)
    except UserError as error:
        print(f'error: {error}', file=sys.stderr)
        sys.exit(2)
    except (PermissionError, IsADirectoryError, NotADirectoryError) as error:
        print(f'error: {error.strerror}: {error.filename}', file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print('interrupted; the same command continues', file=sys.stderr)
        sys.exit(130)
    sys.exit(code or 0)


def key_value(text: str) -> str:
    """Check one argument of ``--cfg-options``; its value is parsed when the config is loaded."""
    if '=' not in text:
        raise argparse.ArgumentTypeError(f'{text!r} is not of the form KEY=VALUE')
    return text


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that change a config: for every tool that takes one."""
    parser.add_argument('--data-root', help='replaces `data_root` of every dataset')
    parser.add_argument('--cfg-options', nargs='+', type=key_value, metavar='KEY=VALUE',
                        help='changes of the config, such as train_cfg.max_epochs=2')
    parser.add_argument('--threads', type=int, default=1, metavar='N',
                        help='threads of a process on the CPU (default: 1)')


def add_launch_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the tools that run on several processes into a work directory."""
    parser.add_argument('--work-dir', help='folder of logs and results; default: '
                        'work_dirs/<name of the config>')
    parser.add_argument('--launcher', choices=LAUNCHERS, default='none')
    parser.add_argument('--dry-run', action='store_true',
                        help='build everything, show it, do nothing')
    # given by torch.distributed.launch, read from the environment
    parser.add_argument('--local_rank', '--local-rank', type=int, help=argparse.SUPPRESS)
