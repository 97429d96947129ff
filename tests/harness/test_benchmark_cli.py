"""The command line, on a fake repository with fake tools."""
import importlib.util
import textwrap

import pandas as pd
import pytest
from fake_suite import make_repository, write_tools

SUITE = """
from fake_suite import make_suite
suite = make_suite()
"""


@pytest.fixture
def cli(root, tmp_path, monkeypatch):
    """``benchmark.main`` of a repository of its own."""
    spec = importlib.util.spec_from_file_location('benchmark', root / 'tools' / 'benchmark.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    repository = make_repository(tmp_path / 'repository')
    write_tools(repository)
    (repository / 'benchmarks').mkdir()
    (repository / 'benchmarks' / 'toy.py').write_text(textwrap.dedent(SUITE))
    monkeypatch.setattr(module, 'ROOT', repository)
    out = ['--out', str(tmp_path / 'out')]

    def run(*arguments):
        return module.main([*arguments, *([] if arguments[0] == 'list' else out)])
    run.out = tmp_path / 'out'
    return run


def test_from_run_to_table(cli, capsys):
    assert cli('table', 'toy') == 2
    error = capsys.readouterr().err
    assert 'no finished run' in error and 'tools/benchmark.py run toy' in error

    assert cli('run', 'benchmarks/toy', '--seeds', '0') == 0
    assert 'all 3 jobs are complete' in capsys.readouterr().out
    assert cli('run', 'benchmarks/toy.py', '--seeds', '0') == 0
    assert '3 of 3 jobs are complete already' in capsys.readouterr().out

    assert cli('table', 'benchmarks/toy.py', '--seeds', '0') == 0
    text = capsys.readouterr().out
    assert '## Toy suite' in text and 'SMOKE' not in text
    table = pd.read_csv(cli.out / 'toy' / 'leaderboard.csv')
    assert list(table['method']) == ['naive', 'strong', 'scene']
    assert table['hm_mean'].notna().tolist() == [False, True, False]

    assert cli('plot', 'toy', '--seeds', '0') == 0
    assert (cli.out / 'toy' / 'figures' / 'ranking.png').stat().st_size > 5000

    assert cli('compare', 'toy', 'naive', 'strong', '--split', 'unseen', '--seeds', '0') == 0
    assert 'naive - strong, action on unseen (20 videos): +0.0 points' in capsys.readouterr().out


def test_failures_are_listed_and_the_exit_code_is_one(cli, capsys):
    (cli.out.parent / 'repository' / 'break-naive').touch()
    assert cli('run', 'toy', '--seeds', '0', '--methods', 'naive', 'strong') == 1
    error = capsys.readouterr().err
    assert 'FAILED naive seed 0 (train): exit code 3' in error
    assert 'the reason of the failure' in error and '1 of 2 jobs failed' in error
    # the others are in the table, which says what is missing
    assert cli('table', 'toy', '--seeds', '0') == 0
    assert 'No finished run yet: naive, scene.' in capsys.readouterr().out


def test_smoke_runs_stay_apart(cli, capsys):
    smoke = ('--seeds', '0', '--methods', 'strong', '--epochs', '1', '--limit-train', '64')
    assert cli('run', 'toy', *smoke, '--dry-run') == 0
    text = capsys.readouterr().out
    assert 'train_dataloader.dataset.indices=64 train_cfg.max_epochs=1' in text
    assert not cli.out.exists()
    # without --seeds: all of the benchmark's, the first of a smoke run
    assert cli('run', 'toy', *smoke[2:], '--dry-run') == 0
    assert capsys.readouterr().out == text
    assert cli('run', 'toy', '--methods', 'strong', '--dry-run') == 0
    assert 'strong seed 1: train' in capsys.readouterr().out and 'seed 1' not in text
    assert cli('run', 'toy', *smoke) == 0
    assert cli('table', 'toy', '--seeds', '0') == 2
    assert cli('table', 'toy', *smoke) == 0
    assert 'SMOKE RUN' in capsys.readouterr().out
    assert not (cli.out / 'toy' / 'leaderboard.csv').exists()


def test_list_and_errors(cli, capsys):
    repository = cli.out.parent / 'repository'
    (repository / 'benchmarks' / 'other.py').write_text(textwrap.dedent(SUITE))
    assert cli('list') == 0
    suites, methods = capsys.readouterr().out.split('all methods')
    assert suites.count('configs/strong.py') == 2
    # every method once, with its suites
    row, = [line for line in methods.splitlines() if 'Strong' in line]
    assert 'other, toy' in row
    (repository / 'benchmarks' / 'other.py').unlink()
    for arguments, message in (
            (('run', 'tuy'), 'known suites: benchmarks/toy.py'),
            (('run', 'toy', '--methods', 'x'), "unknown method 'x'"),
            (('run', 'toy', '--epochs', '0'), 'must be at least 1'),
            (('compare', 'toy', 'naive', 'strong', '--split', 'x'), "unknown split 'x'"),
            (('compare', 'toy', 'naive', 'strong', '--split', 'seen', '--variant', 'r'),
             'it has none')):
        assert cli(*arguments) == 2
        assert message in capsys.readouterr().err
    (cli.out.parent / 'repository' / 'data' / 'toy' / 'manifest.json').unlink()
    assert cli('run', 'toy') == 2
    assert 'make toy data' in capsys.readouterr().err
