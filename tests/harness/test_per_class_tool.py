"""``tools/analysis/per_class.py`` on a fake repository's finished runs."""
import importlib.util
import textwrap

import pandas as pd
import pytest
from fake_suite import fake_train, make_repository, write_table

from devias_mm.cli import run_tool
from devias_mm.harness.plan import plan_jobs, write_index
from devias_mm.harness.suite import load_suite

SUITE = """
from fake_suite import make_protocol, make_suite
suite = make_suite(protocol=make_protocol(sets={'both': ('unseen', 'texture')},
                                          topk={'scene': 2}))
"""


@pytest.fixture
def tool(root, tmp_path, monkeypatch):
    """``per_class.main`` of a repository in which seed 0 of all methods is finished."""
    spec = importlib.util.spec_from_file_location(
        'per_class_tool', root / 'tools' / 'analysis' / 'per_class.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    repository = make_repository(tmp_path / 'repository')
    (repository / 'benchmarks').mkdir()
    (repository / 'benchmarks' / 'toy.py').write_text(textwrap.dedent(SUITE))
    monkeypatch.setattr(module, 'ROOT', repository)
    out = tmp_path / 'out'
    suite = load_suite(repository / 'benchmarks' / 'toy.py')
    jobs = plan_jobs(suite, repository, out, seeds=[0])
    write_index(out / 'toy', jobs, [], repository)
    for job in jobs:
        fake_train(job.work_dir)
        job.folder.mark('train')
        for number, split in enumerate(suite.splits):
            # classes are v % 4: of class 3 all are right, of class 0 those below 4 `number`
            right = [v for v in range(20) if v % 4 == 3 or v < 4 * number]
            write_table(job.predictions(split), right, right, background=split != 'seen',
                        has_action=job.method != 'scene', has_scene=job.method != 'naive')
        job.folder.mark('test', splits=list(suite.splits))

    def main(arguments):
        with pytest.raises(SystemExit) as end:
            run_tool(module.main, module.add_arguments, module.__doc__, arguments)
        return end.value.code

    def run(*arguments):
        return main(['toy', '--out', str(out), *arguments])
    run.folder = out / 'toy' / 'per_class'
    run.tmp_path, run.out, run.main = tmp_path, out, main
    return run


def test_table_of_a_split(tool, capsys):
    assert tool('--method', 'naive', '--split', 'unseen') == 0
    printed = capsys.readouterr()
    assert 'no finished run yet of seed(s) 1' in printed.err
    assert 'naive on unseen, action top-1, 1 seed(s)' in printed.out
    table = pd.read_csv(tool.folder / 'naive_unseen_action.csv')
    assert table['class'].tolist() == [0, 1, 2, 3] and table['n'].tolist() == [5] * 4
    assert table['accuracy'].tolist() == [20, 20, 20, 100]
    # what is wrong is taken for the background's class, the next one
    assert table['confused_with'].tolist() == [1, 2, 3, -1]
    assert table['sberr'].tolist() == [80, 80, 80, 0]


def test_the_worst_come_first_and_no_more_than_asked(tool, capsys):
    assert tool('--method', 'strong', '--split', 'unseen', '--seeds', '0', '--top', '1') == 0
    lines = [line.split('│')[1:4] for line in capsys.readouterr().out.splitlines()
             if line.startswith('│')]
    assert [[cell.strip() for cell in line] for line in lines] \
        == [['0', '5', '20.0'], ['3', '5', '100.0']]


def test_a_set_takes_its_draws_together(tool):
    path = tool.tmp_path / 'own.csv'
    assert tool('--method', 'strong', '--split', 'both', '--seeds', '0', '--csv', str(path)) == 0
    table = pd.read_csv(path)
    assert table['n'].tolist() == [10] * 4
    assert table['accuracy'].tolist() == [30, 30, 30, 100]
    assert not tool.folder.exists()


def test_a_work_dir_and_prediction_files(tool, capsys):
    work_dir = next((tool.out / 'runs/strong').glob('seed0-*'))
    # draws of a set lie in a folder
    draws = [work_dir / f'predictions/both/{name}.parquet' for name in (1, 2)]
    draws[0].parent.mkdir()
    for file, name in zip(draws, ('unseen', 'texture')):
        (work_dir / f'predictions/{name}.parquet').rename(file)
    assert tool.main([str(work_dir), '--split', 'both']) == 0
    assert f'{work_dir.name} on both, action top-1' in capsys.readouterr().out
    table = pd.read_csv(work_dir / 'per_class/both_action.csv')
    assert table['n'].tolist() == [10] * 4 and table['accuracy'].tolist() == [30, 30, 30, 100]
    path = tool.tmp_path / 'files.csv'
    assert tool.main([*map(str, draws), '--csv', str(path)]) == 0  # seeds: averaged
    assert pd.read_csv(path)['n'].tolist() == [5] * 4
    assert tool.main([str(draws[0]), '--top-k', '4', '--csv', str(path)]) == 0
    assert pd.read_csv(path)['accuracy'].tolist() == [100] * 4


@pytest.mark.parametrize('arguments, message', [
    ([], 'give the --split'), (['--split', 'no'], 'has no predictions of --split no; it has '),
    (['--split', 'seen', '--task', 'scene'], 'there are no predictions of the scene')])
def test_errors_of_a_work_dir(tool, capsys, arguments, message):
    work_dir = next((tool.out / 'runs/naive').glob('seed0-*'))
    assert tool.main([str(work_dir), *arguments]) == 2
    assert message in capsys.readouterr().err


def test_scenes_and_class_names(tool):
    names = tool.tmp_path / 'labels.csv'
    names.write_text('0,archery\n1,bending back\n2,crawling\n3,diving')
    assert tool('--method', 'scene', '--split', 'seen', '--task', 'scene', '--seeds', '0',
                '--class-names', str(names)) == 0
    table = pd.read_csv(tool.folder / 'scene_seen_scene.csv')
    assert table['name'].tolist() == ['archery', 'bending back', 'crawling', 'diving']
    assert table.set_index('name').at['archery', 'confused_name'] == 'bending back'


@pytest.mark.parametrize('arguments, message', [
    (['--method', 'x', '--split', 'seen'], "unknown method 'x'"),
    (['--method', 'naive', '--split', 'x'], "unknown split 'x': use one of seen, unseen"),
    (['--method', 'naive', '--split', 'seen', '--task', 'scene'], 'does not predict the scene'),
    (['--method', 'naive', '--split', 'seen', '--seeds', '7'], 'tools/benchmark.py run toy'),
    (['--method', 'naive', '--split', 'seen', '--variant', 'rho'], 'it has none'),
    (['--method', 'naive', '--split', 'seen', '--class-names', 'no.csv'], 'no.csv'),
])
def test_errors(tool, capsys, arguments, message):
    assert tool(*arguments) == 2
    error = capsys.readouterr().err
    assert error.splitlines()[-1].startswith('error: ') or 'error: ' in error
    assert message in error
