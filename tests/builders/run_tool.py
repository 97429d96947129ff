"""Running a tool in this process: starting one costs seconds."""
import importlib.util
import sys
from pathlib import Path
from unittest import mock

from devias_mm.cli import make_parser

ROOT = Path(__file__).resolve().parents[2]


def run(tool, *arguments):
    """Run ``tools/<tool>.py``; its errors are raised, its exit status is returned."""
    file = ROOT / 'tools' / f'{tool}.py'
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, 'add_arguments'):  # a tool that reads the command line by itself
        with mock.patch.object(sys, 'argv', [str(file), *map(str, arguments)]):
            return module.main()
    parser = make_parser(module.__doc__)
    module.add_arguments(parser)
    return module.main(parser.parse_args([str(argument) for argument in arguments]))
