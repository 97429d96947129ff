"""Change a module in small ways, one at a time, and list the changes that no test notices.

    python tools/dev/mutate.py devias_mm/augments/fame.py --tests tests/augments/test_fame.py
    python tools/dev/mutate.py devias_mm/augments/*.py --tests tests/augments --sample 20 --seed 1

Torch and MMAction2 are imported once. Each mutant is a forked process that imports the changed
module in place of the file and runs the tests that execute the changed lines; a survivor is run
once more with all tests. A line `FILE:LINE: ORIGINAL -> MUTANT` is a change that passed. Tests that
start another Python process do not see the change, and those that spawn one fail: name other tests.
The exit code is 1 where a mutant survived.
"""
import argparse
import ast
import builtins
import importlib.abc
import importlib.machinery
import importlib.util
import multiprocessing
import os
import random
import signal
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mutants import make_mutants

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
FORK = multiprocessing.get_context('fork')
NO_TESTS = 5  # pytest's exit code


class Changed(importlib.abc.MetaPathFinder, importlib.machinery.SourceFileLoader):
    """Import one module from a changed source or syntax tree."""

    def __init__(self, file: Path, source) -> None:
        parts = file.relative_to(ROOT).with_suffix('').parts
        super().__init__('.'.join(parts).removesuffix('.__init__'), str(file))
        self.source = source

    def find_spec(self, name, path=None, target=None):
        """Return a spec for the changed module only."""
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, self.path, loader=self)

    def get_code(self, fullname):
        """Compile the changed source, never a cached file."""
        return compile(self.source, self.path, 'exec', dont_inherit=True)


class LinesOfTests(ast.NodeTransformer):
    """A pytest plugin that notes which lines of a module's functions each test executes.

    Statements are preceded by a call that notes them: that costs less than tracing.
    """

    def __init__(self) -> None:
        self.test = None
        self.tests_of = defaultdict(set)
        builtins.note_lines = self.note_lines

    def pytest_runtest_logstart(self, nodeid):
        """Begin a test."""
        self.test = nodeid

    def note_lines(self, first: int, last: int) -> None:
        """Note that the present test executes some lines."""
        for line in range(first, last + 1):
            self.tests_of[line].add(self.test)

    def visit_FunctionDef(self, node):
        """Precede each statement of a function, but not its docstring, by its note."""
        self.generic_visit(node)
        documented = ast.get_docstring(node) is not None
        node.body = node.body[:documented] + [
            new for statement in node.body[documented:] for new in (note_of(statement), statement)]
        return node


def note_of(statement: ast.stmt) -> ast.stmt:
    """Return the statement ``note_lines(FIRST, LAST)``."""
    note = ast.parse(f'note_lines({statement.lineno}, {statement.end_lineno})').body[0]
    for node in ast.walk(note):
        ast.copy_location(node, statement)
    return note


def import_common() -> None:
    """Import what all mutants share; nothing that registers a class of ours."""
    import cv2  # noqa: F401
    import kornia  # noqa: F401
    import pandas  # noqa: F401
    import scipy.optimize  # noqa: F401
    import sklearn.metrics  # noqa: F401
    import torch

    from devias_mm import compat
    compat.apply()
    import mmaction.datasets
    import mmaction.engine
    import mmaction.evaluation
    import mmaction.models  # noqa: F401
    torch.set_num_threads(1)


def run_pytest(tests, changed=None, plugins=(), quiet=True) -> int:
    """Run tests in this process, with a changed module; return pytest's exit code."""
    import pytest
    if changed is not None:
        sys.meta_path.insert(0, changed)
    if quiet:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
    return pytest.main(['-x', '-q', '-p', 'no:cacheprovider', '-p', 'no:timeout', '-W', 'ignore',
                        '-o', 'addopts=', '-o', 'timeout=0', *tests], plugins=list(plugins))


def in_child(function, timeout: float):
    """Run a function in a forked process; return its exit code, ``None`` if it took too long."""
    def start():
        os.setsid()
        os._exit(int(function()))

    process = FORK.Process(target=start)
    process.start()
    process.join(timeout)
    if process.exitcode is not None:
        return process.exitcode
    os.killpg(process.pid, signal.SIGKILL)
    process.join()
    return None


def find_tests(file: Path, paths, timeout: float):
    """Run the tests of an unchanged file; return the names of the tests of each of its lines."""
    receiver, sender = FORK.Pipe(duplex=False)

    def run():
        plugin = LinesOfTests()
        noted = plugin.visit(ast.parse(file.read_text()))
        code = run_pytest(paths, Changed(file, noted), plugins=[plugin])
        sender.send(dict(plugin.tests_of))
        return code

    with ThreadPoolExecutor(1) as pool:  # the pipe is read while the child writes
        code = pool.submit(in_child, run, timeout)
        while not code.done() and not receiver.poll(0.1):
            pass
        tests_of = receiver.recv() if receiver.poll() else {}
    if code.result() != 0:
        sys.exit(f'{file}: the tests fail without a change (pytest ends with {code.result()}); run '
                 'them by themselves, and leave out those that spawn processes')
    return tests_of


def survives(file: Path, mutant, tests, paths, timeout: float) -> bool:
    """Whether a mutant passes its tests, and then all tests. Too long a run is noticed."""
    changed = Changed(file, mutant.source)
    for chosen in (tests, paths):
        if not chosen:
            continue
        code = in_child(lambda chosen=chosen: run_pytest(chosen, changed), timeout)
        if code not in (0, NO_TESTS):
            return False
    return True


def mutate(file: Path, args: argparse.Namespace) -> int:
    """Test the mutants of a file and print the survivors; return their number."""
    mutants = make_mutants(file.read_text())
    if args.sample and args.sample < len(mutants):
        mutants = sorted(random.Random(args.seed).sample(mutants, args.sample))
    tests_of = find_tests(file, args.tests, 20 * args.timeout)

    def judge(mutant):
        tests = set()
        for line in range(mutant.line, mutant.last_line + 1):
            tests |= tests_of.get(line, set())
        return survives(file, mutant, sorted(tests), args.tests, args.timeout)

    survivors = 0
    name = file.relative_to(ROOT)
    with ThreadPoolExecutor(args.jobs) as pool:
        for mutant, survived in zip(mutants, pool.map(judge, mutants)):
            if survived:
                survivors += 1
                print(f'{name}:{mutant.line}: {mutant.original} -> {mutant.changed}', flush=True)
    print(f'{name}: {len(mutants) - survivors} of {len(mutants)} mutants were noticed', flush=True)
    return survivors


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('modules', nargs='+', type=Path, help='files of devias_mm')
    parser.add_argument('--tests', nargs='+', required=True, help='test files, folders or names')
    parser.add_argument('--sample', type=int, metavar='N', help='mutants per module; default: all')
    parser.add_argument('--seed', type=int, default=0, help='of the sample (default: 0)')
    parser.add_argument('--timeout', type=float, default=120, metavar='SECONDS',
                        help='for a mutant; a longer run counts as noticed (default: 120)')
    parser.add_argument('--jobs', type=int, default=1, help='mutants at once (default: 1)')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    os.chdir(ROOT)
    import_common()
    survivors = sum(mutate(file.resolve(), args) for file in args.modules)
    sys.exit(1 if survivors else 0)


if __name__ == '__main__':
    main()
