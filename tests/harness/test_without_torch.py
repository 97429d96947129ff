"""What makes tables from finished runs imports neither torch nor MMEngine."""
import subprocess
import sys
import textwrap

import pytest
from fake_suite import make_repository, make_suite, write_tools

from devias_mm.harness.launch import Launcher
from devias_mm.harness.plan import plan_jobs, write_index
from devias_mm.harness.schedule import run_jobs

NOT_IMPORTED = "print(sorted({'torch', 'mmengine', 'mmaction', 'mmcv'} & set(sys.modules)))"


def run_python(root, code, *arguments):
    """Run Python code with the tests' fake suite; return its last line."""
    path = f'{root}:{root}/tests/harness'
    done = subprocess.run([sys.executable, '-c', textwrap.dedent(code), *map(str, arguments)],
                          cwd=root, env=dict(PYTHONPATH=path), text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def test_packages(root):
    code = 'import devias_mm.evaluation, devias_mm.harness, sys\n' + NOT_IMPORTED
    assert run_python(root, code) == '[]'


CALL = """
import pathlib, runpy, sys
tool = pathlib.Path(sys.argv[1])
sys.argv = sys.argv[1:]
try:
    runpy.run_path(str(tool), run_name='__main__')
except SystemExit as end:
    assert not end.code, end.code
"""


@pytest.fixture
def finished(tmp_path):
    """A suite file and the output folder of its finished runs."""
    repository = make_repository(tmp_path / 'repository')
    write_tools(repository)
    suite = make_suite(seeds=(0, ))
    jobs = plan_jobs(suite, repository, tmp_path / 'out')
    write_index(tmp_path / 'out' / 'toy', jobs, [], repository)
    assert run_jobs(jobs, Launcher(repository)) == []
    file = tmp_path / 'toy.py'
    file.write_text('from fake_suite import make_suite\nsuite = make_suite(seeds=(0, ))\n')
    return file, tmp_path / 'out'


@pytest.mark.parametrize('command', [
    ['table'], ['plot'], ['compare', 'naive', 'strong', '--split', 'seen']])
def test_commands_on_finished_runs(root, finished, command):
    suite, out = finished
    name, *options = command
    last = run_python(root, CALL + NOT_IMPORTED, root / 'tools' / 'benchmark.py', name, suite,
                      *options, '--out', out)
    assert last == '[]'


@pytest.mark.parametrize('tool', ['benchmark', 'train', 'test'])
def test_help(root, tool):
    last = run_python(root, CALL + NOT_IMPORTED, root / 'tools' / f'{tool}.py', '--help')
    assert last == '[]'


def test_every_suite_file(root):
    code = """
        import sys
        from devias_mm.harness.suite import list_suites, load_suite
        assert len([load_suite(path) for path in list_suites()]) > 20
        """
    assert run_python(root, textwrap.dedent(code) + NOT_IMPORTED) == '[]'
