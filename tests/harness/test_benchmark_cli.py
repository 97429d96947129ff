"""The command line, on a fake repository with fake tools."""
import importlib.util
import textwrap

import pandas as pd
import pytest
from fake_suite import make_repository, write_tools

from devias_mm.cli import run_tool

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
        argv = [*arguments, *([] if arguments[0] == 'list' else [*out, *run.options])]
        with pytest.raises(SystemExit) as end:
            run_tool(module.main, module.add_arguments, 'benchmark', argv)
        return end.value.code
    run.out = tmp_path / 'out'
    run.options = ()
    return run


def test_from_run_to_table(cli, capsys):
    assert cli('table', 'toy') == 2
    error = capsys.readouterr().err
    assert 'no finished run' in error and 'tools/benchmark.py run toy' in error

    assert cli('run', 'benchmarks/toy', '--seeds', '0') == 0
    assert 'all 3 jobs are complete' in capsys.readouterr().out
    assert cli('run', 'benchmarks/toy.py') == 0
    assert '3 of 6 jobs are complete already' in capsys.readouterr().out

    assert cli('table', 'benchmarks/toy.py') == 0
    text = capsys.readouterr().out
    assert '## Toy suite' in text and 'SMOKE' not in text
    table = pd.read_csv(cli.out / 'toy' / 'leaderboard.csv')
    assert list(table['method']) == ['naive', 'strong', 'scene']
    assert table['hm_mean'].notna().tolist() == [False, True, False]
    assert table['n_seeds'].tolist() == [2, 2, 2]

    assert cli('plot', 'toy') == 0
    assert (cli.out / 'toy' / 'figures' / 'ranking.png').stat().st_size > 5000

    assert cli('compare', 'toy', 'naive', 'strong', '--split', 'unseen', '--seeds', '0') == 0
    assert 'naive - strong, action on unseen (20 videos): +0.0 points' in capsys.readouterr().out


def test_a_selection_does_not_replace_the_suite(cli, capsys):
    assert cli('run', 'toy') == 0 and cli('table', 'toy', '--methods', 'all') == 0
    whole = (cli.out / 'toy' / 'leaderboard.csv').read_bytes()
    assert cli('table', 'toy', '--methods', 'strong', 'naive', '--seeds', '1') == 0
    text = capsys.readouterr().out
    folder = cli.out / 'toy' / 'selections' / 'naive+strong_seeds1'
    assert f'wrote {folder / "leaderboard.csv"}' in text
    assert list(pd.read_csv(folder / 'leaderboard.csv')['n_seeds']) == [1, 1]
    assert cli('plot', 'toy', '--methods', 'strong') == 0
    assert (cli.out / 'toy' / 'selections' / 'strong' / 'figures').is_dir()
    assert (cli.out / 'toy' / 'leaderboard.csv').read_bytes() == whole
    assert not (cli.out / 'toy' / 'figures').exists()


def test_a_table_says_what_changed_since(cli, capsys):
    repository = cli.out.parent / 'repository'
    assert cli('run', 'toy', '--seeds', '0') == 0
    capsys.readouterr()
    assert cli('table', 'toy') == 0
    before = capsys.readouterr()
    assert 'note:' not in before.err and 'incomplete, seed(s) 1' in before.out
    config = repository / 'configs' / 'strong.py'
    config.write_text(config.read_text().replace('lr=0.1', 'lr=0.2'))
    # the table is that of the runs there are
    assert cli('table', 'toy') == 0
    after = capsys.readouterr()
    assert after.out == before.out
    assert 'note: configs/strong.py has changed since strong ran' in after.err
    # the new recipe takes the row, and does not share it with seeds of the old one
    assert cli('run', 'toy', '--methods', 'strong', '--seeds', '1') == 0
    assert cli('table', 'toy') == 0
    text = capsys.readouterr()
    assert 'Strong: incomplete, seed(s) 0 not finished' in text.out and 'note:' not in text.err


def test_runs_of_two_suites(cli, capsys):
    repository = cli.out.parent / 'repository'
    assert cli('run', 'toy', '--seeds', '0') == 0
    # elsewhere than in benchmarks/
    other = repository.parent / 'other.py'
    other.write_text(textwrap.dedent(SUITE).replace('make_suite()', "make_suite(name='other')"))
    capsys.readouterr()
    assert cli('run', str(other), '--seeds', '0') == 0
    assert '3 of 3 jobs are complete already' in capsys.readouterr().out
    assert cli('table', str(other), '--seeds', '0') == 0
    assert (cli.out / 'other' / 'index.json').is_file()
    assert sorted(path.name for path in (cli.out / 'runs').iterdir()) == [
        'naive', 'scene', 'strong']


def test_the_config_of_a_row(cli, capsys):
    assert cli('config', 'toy', 'strong') == 0
    text = capsys.readouterr().out
    assert text.startswith('# Strong of toy, resolved: configs/strong.py') and 'lr=0.1' in text
    assert cli('config', 'toy', 'strong@rho') == 2
    assert 'it has none' in capsys.readouterr().err


def test_failures_are_listed_and_the_exit_code_is_one(cli, capsys):
    (cli.out.parent / 'repository' / 'break-naive').touch()
    assert cli('run', 'toy', '--seeds', '0', '--methods', 'naive', 'strong') == 1
    error = capsys.readouterr().err
    assert 'FAILED naive seed 0 (train): exit code 3' in error
    assert 'the reason of the failure' in error and '1 of 2 jobs failed' in error
    # the others are in the table, which says what is missing
    assert cli('table', 'toy', '--seeds', '0') == 0
    assert 'No finished run yet: naive, scene.' in capsys.readouterr().out


def test_tables_of_jobs_side_by_side_are_the_same(cli, capsys):
    tables = []
    for number in ('1', '2'):
        cli.options = ('--out', str(cli.out.parent / number))  # the last --out counts
        assert cli('run', 'toy', '--gpus', '0', '--jobs', number) == 0
        assert cli('table', 'toy') == 0
        folder = cli.out.parent / number / 'toy'
        tables.append([(folder / f'leaderboard.{suffix}').read_bytes()
                       for suffix in ('csv', 'md', 'tex')])
    assert tables[0] == tables[1]
    assert cli('run', 'toy', '--jobs', '0') == 2
    assert '--jobs 0' in capsys.readouterr().err


def test_smoke_runs_stay_apart(cli, capsys):
    smoke = ('--seeds', '0', '--methods', 'strong', '--epochs', '1', '--limit-train', '64')
    assert cli('run', 'toy', *smoke, '--dry-run') == 0
    text = capsys.readouterr().out
    assert 'dist_train.sh' in text and 'dist_test.sh' in text and 'epoch_1.pth' in text
    assert not cli.out.exists()
    # without --seeds: all of the benchmark's, the first of a smoke run
    assert cli('run', 'toy', *smoke[2:], '--dry-run') == 0
    assert capsys.readouterr().out == text
    assert cli('run', 'toy', '--methods', 'strong', '--dry-run') == 0
    assert 'strong seed 1: train' in capsys.readouterr().out and 'seed 1' not in text
    assert cli('run', 'toy', *smoke) == 0
    assert cli('table', 'toy', '--seeds', '0') == 2
    config = next((cli.out / 'runs' / 'strong').glob('*/config.py')).read_text()
    assert 'indices=64' in config and 'max_epochs=1' in config
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
