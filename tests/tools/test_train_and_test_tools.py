"""The command lines, as they are typed."""
import contextlib
import io
import json
import os
import re
import runpy
import shutil
import subprocess
import sys

import pytest
import torch
from mmengine.device import get_device
from tiny_runs import ROOT, make_config

from devias_mm.files import file_sha256

ENV = dict(os.environ, PYTHON=sys.executable, PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1',
           CUDA_VISIBLE_DEVICES='')
SPLITS = ('seen', 'unseen')


def call(*command, code=0):
    result = subprocess.run([str(part) for part in command], cwd=ROOT, env=ENV, text=True,
                            capture_output=True, timeout=300)
    assert result.returncode == code, result.stdout[-3000:] + result.stderr[-3000:]
    return result


def run_tool(monkeypatch, name, *arguments):
    """Run a tool in this process; return its error message, ``None`` where all went well."""
    monkeypatch.setattr(sys, 'argv', [name, *map(str, arguments)])
    errors = io.StringIO()
    try:
        with contextlib.redirect_stderr(errors):
            runpy.run_path(str(ROOT / 'tools' / name), run_name='__main__')
    except SystemExit as end:
        if not end.code:
            return None
        return end.code if isinstance(end.code, str) else errors.getvalue().rstrip('\n')
    return None


@pytest.fixture(scope='module')
def trained(tmp_path_factory, tiny_data):
    """Folder of a training of one epoch, with its config."""
    folder = tmp_path_factory.mktemp('trained')
    make_config(folder, tiny_data)
    call(sys.executable, ROOT / 'tools' / 'train.py', folder / 'tiny.py', '--work-dir',
         folder / 'work', '--seed', 5, '--cfg-options', 'train_cfg.max_epochs=1')
    return folder


def read_tables(work_dir):
    return [(work_dir / 'predictions' / f'{split}.parquet').read_bytes() for split in SPLITS]


def test_one_and_two_processes_write_the_same_tables(trained, tmp_path):
    config, checkpoint = trained / 'tiny.py', trained / 'work' / 'epoch_1.pth'
    single = call('bash', ROOT / 'tools' / 'dist_test.sh', config, checkpoint, 0,
                  '--work-dir', tmp_path / 'one')
    assert 'seen' in single.stdout and 'action top-1' in single.stdout
    call('bash', ROOT / 'tools' / 'dist_test.sh', config, checkpoint, 2,
         '--work-dir', tmp_path / 'two')
    assert read_tables(tmp_path / 'one') == read_tables(tmp_path / 'two')
    assert (tmp_path / 'one' / 'run.json').is_file()
    assert '"seed": 5' in (tmp_path / 'two' / 'run.json').read_text()


def test_the_console_shows_results_and_the_log_file_all(trained, tmp_path):
    done = call('bash', ROOT / 'tools' / 'dist_train.sh', trained / 'tiny.py', 0, '--work-dir',
                tmp_path, '--cfg-options', 'train_cfg.max_epochs=1',
                'default_hooks.logger.interval=1')
    lines = done.stdout.splitlines()
    assert all('Epoch(' in line for line in lines)
    assert sum('Epoch(train)' in line for line in lines) == 2
    assert sum('Epoch(val)' in line for line in lines) >= 1
    log, = tmp_path.glob('*/*.log')
    text = log.read_text()
    assert 'System environment:' in text and 'Hooks will be executed' in text
    assert all(line.split(' - ')[-1] in text for line in lines)


def test_a_row_is_trained_and_tested(tmp_path, tiny_data, monkeypatch, capsys):
    make_config(tmp_path, tiny_data)
    suite = tmp_path / 'my_suite.py'
    suite.write_text(f"""
from devias_mm.evaluation.metrics import per_split, seen_unseen
from devias_mm.harness import Data, Method, Protocol, Suite
config = {str(tmp_path / 'tiny.py')!r}
short = Method(config, predicts=('action', ), change=dict(train_cfg=dict(max_epochs=1)))
suite = Suite(
    name='my', title='My suite', data=Data(config), methods=dict(short=short),
    protocol=Protocol(splits=('seen', ), metrics=(
        *seen_unseen(action_seen=('seen', )), *per_split(('seen', )))))
""")
    work = tmp_path / 'work'
    assert run_tool(monkeypatch, 'train.py', f'{suite}:short', '--work-dir', work) is None
    assert run_tool(monkeypatch, 'test.py', f'{suite}:short', work / 'epoch_1.pth', '--work-dir',
                    work, '--splits', 'seen') is None
    assert (work / 'predictions' / 'seen.parquet').is_file()
    error = run_tool(monkeypatch, 'train.py', f'{suite}:long', '--work-dir', work)
    assert error.startswith("error: unknown method 'long'")


def test_a_suite_of_real_runs(tmp_path, tiny_data, monkeypatch, capsys):
    """From the suite to its table by the real tools: training, released weights, pre-training."""
    make_config(tmp_path, tiny_data)
    suite = tmp_path / 'my_suite.py'
    weights = tmp_path / 'released.pth'
    suite.write_text(f"""
from devias_mm.evaluation.metrics import per_split, seen_unseen
from devias_mm.harness import Data, Method, Protocol, Suite
config = {str(tmp_path / 'tiny.py')!r}
short = dict(train_cfg=dict(max_epochs=1))
naive = Method(config, predicts=('action', ), change=short)
suite = Suite(
    name='my', title='My suite', data=Data(config),
    protocol=Protocol(
        splits=('seen', 'unseen'),
        metrics=(*seen_unseen(action_seen=('seen', )), *per_split(('seen', 'unseen')))),
    methods=dict(
        tuned=Method(config, predicts=('action', ), pretrain=naive,
                     change=[short, dict(optim_wrapper=dict(optimizer=dict(lr=1e-4)))]),
        naive=naive,
        released=Method(config, predicts=('action', ), checkpoint={str(weights)!r})))
""")
    options = [suite, '--out', tmp_path / 'out']
    run = ['benchmark.py', 'run', *options, '--gpus', 0]
    assert run_tool(monkeypatch, *run, '--methods', 'tuned', 'naive') is None
    trained = (tmp_path / 'out' / 'runs' / 'tiny').glob('*/epoch_1.pth')
    assert len(list(trained)) == 2
    index = json.loads((tmp_path / 'out' / 'my' / 'index.json').read_text())['runs']
    folders = {entry['method']: tmp_path / 'out' / 'my' / entry['folder'] for entry in index}
    for folder in folders.values():  # one hash everywhere
        record = json.loads((folder / 'run.json').read_text())
        marker = json.loads((folder / 'test.done').read_text())
        assert record['config_hash'] == marker['config_hash']
        assert folder.name == f"seed0-{record['config_hash'][:8]}"
        assert record['splits'] == marker['splits'] == ['seen', 'unseen']
        # a resumed training did not change the config
        assert 'resume=True' not in (folder / 'config.py').read_text().replace(' ', '')
    tuned = json.loads((folders['tuned'] / 'run.json').read_text())
    assert tuned['load_from_sha256'] == file_sha256(folders['naive'] / 'epoch_1.pth')
    shutil.copy(folders['naive'] / 'epoch_1.pth', weights)
    assert run_tool(monkeypatch, *run, '--methods', 'released') is None
    capsys.readouterr()
    assert run_tool(monkeypatch, 'benchmark.py', 'table', *options) is None
    assert 'My suite' in capsys.readouterr().out
    rows = (tmp_path / 'out' / 'my' / 'leaderboard.csv').read_text().splitlines()[1:]
    cells = {row.split(',')[0]: row.split(',')[1:] for row in rows}
    assert cells['naive'] == cells['released']


def test_two_processes_train(trained, tmp_path):
    call('bash', ROOT / 'tools' / 'dist_train.sh', trained / 'tiny.py', 2, '--work-dir', tmp_path,
         '--cfg-options', 'train_cfg.max_epochs=1')
    assert (tmp_path / 'epoch_1.pth').is_file()


def test_a_dry_run_without_a_batch_is_an_error(trained, tmp_path, monkeypatch):
    error = run_tool(monkeypatch, 'train.py', trained / 'tiny.py', '--work-dir', tmp_path,
                     '--dry-run', '--cfg-options', 'train_dataloader.batch_size=99',
                     'train_dataloader.drop_last=True')
    assert '8 training videos make no batch of 99' in error


def test_dry_runs_leave_nothing_behind(trained, tmp_path, monkeypatch, capsys):
    options = ['--work-dir', tmp_path / 'work', '--dry-run']
    assert run_tool(monkeypatch, 'train.py', trained / 'tiny.py', *options) is None
    out = capsys.readouterr().out
    assert 'train: 8 videos, 2 batches of 4' in out and 'val: 4 videos' in out
    assert run_tool(monkeypatch, 'test.py', trained / 'tiny.py', trained / 'work' / 'epoch_1.pth',
                    '--splits', 'unseen', *options) is None
    out = capsys.readouterr().out
    assert 'unseen: 4 videos' in out and '\nseen' not in out
    assert not (tmp_path / 'work').exists()


@pytest.mark.parametrize('kind, message', [
    ('checkpoint', 'checkpoint not found'), ('truncated', 'truncated'),
    ('list', 'annotations/seen.txt, line 2'), ('config', 'config not found')])
def test_one_clear_error(trained, tmp_path, tiny_data, monkeypatch, kind, message):
    config, checkpoint = trained / 'tiny.py', trained / 'work' / 'epoch_1.pth'
    options = ['--work-dir', tmp_path / 'work']
    if kind == 'checkpoint':
        checkpoint = tmp_path / 'none.pth'
    elif kind == 'truncated':
        data = checkpoint.read_bytes()
        checkpoint = tmp_path / 'cut.pth'
        checkpoint.write_bytes(data[:len(data) // 2])
    elif kind == 'config':
        config = tmp_path / 'none.py'
    else:
        (tmp_path / 'annotations').mkdir()
        (tmp_path / 'annotations' / 'seen.txt').write_text('00.mp4 0 0 0\n01.mp4 99 0 0\n')
        (tmp_path / 'videos').symlink_to(tiny_data / 'videos')
        options += ['--data-root', tmp_path]
    error = run_tool(monkeypatch, 'test.py', config, checkpoint, *options)
    assert error.startswith('error: ') and message in error
    assert not list(tmp_path.rglob('*.parquet'))


def test_test_lists_are_checked_before_a_training(trained, tmp_path, tiny_data, monkeypatch):
    for name in ('annotations', 'videos'):
        shutil.copytree(tiny_data / name, tmp_path / name)
    lists = tmp_path / 'annotations' / 'unseen.txt'
    lists.write_text('gone.mp4 0 0 0\n')
    options = ['--data-root', tmp_path, '--work-dir', tmp_path / 'work', '--check-test-lists']
    error = run_tool(monkeypatch, 'train.py', trained / 'tiny.py', *options)
    assert 'gone.mp4' in error and 'unseen.txt' in error and "split 'unseen'" in error
    assert error == run_tool(monkeypatch, 'train.py', trained / 'tiny.py', *options, 'un*')
    assert not list(tmp_path.rglob('*.pth'))
    # some are there: a warning, and the training begins
    lists.write_text('gone.mp4 0 0 0\n00.mp4 0 0 0\n')
    assert run_tool(monkeypatch, 'train.py', trained / 'tiny.py', *options,
                    '--cfg-options', 'train_cfg.max_epochs=1') is None
    assert (tmp_path / 'work' / 'epoch_1.pth').is_file()


@pytest.mark.parametrize('tool, options, message', [
    ('train.py', ['train_dataloader.dataset.scene_label_file=none.parquet'],
     'file of scene labels not found'),
    ('train.py', ['test_cfg.splits.unseen.scene_label_file=videos/19.mp4'],
     "split 'unseen': "),
    ('test.py', ['test_cfg.splits.unseen.scene_label_file=videos/19.mp4'],
     "split 'unseen': ")])
def test_bad_scene_labels_are_one_clear_error(trained, tmp_path, monkeypatch, tool, options,
                                              message):
    files = [trained / 'tiny.py', trained / 'work' / 'epoch_1.pth'][:1 + (tool == 'test.py')]
    if 'unseen' in options[0] and tool == 'train.py':
        options = [*options, '--check-test-lists']
    error = run_tool(monkeypatch, tool, *files, '--work-dir', tmp_path, '--cfg-options', *options)
    assert error.startswith('error: ') and message in error and 'pseudo_label_scenes.py' in error
    assert '\n' not in error and not list(tmp_path.rglob('*.p*t*'))


@pytest.mark.parametrize('option, message', [
    ('model.scene_teacher.init_cfg=None', r'model\.scene_teacher \(NaiveRecognizer\) has no '
     r"weights.*init_cfg=dict\(type='Pretrained'.*scene column, or scene_label_file"),
    ('model.scene_teacher.init_cfg.checkpoint=None', 'NaiveRecognizer.* has no weights'),
    ('load_from=gone.pth', r'gone\.pth.*load_from=FILE; none: load_from=None\.$'),
    ('model.scene_teacher.init_cfg.checkpoint=gone.pth',
     r'gone\.pth.*model\.scene_teacher\.init_cfg\.checkpoint=FILE\.$')])
def test_a_dry_run_shows_that_a_teacher_has_no_weights(monkeypatch, tmp_path, option, message):
    config = ROOT / 'configs/devias/devias_vit-base-p16_8xb12-16x4x1-100e_ucf101-rgb.py'
    error = run_tool(monkeypatch, 'train.py', config, '--dry-run', '--work-dir', tmp_path,
                     '--cfg-options', 'load_from=None', option)
    assert re.fullmatch(f'error: .*{message}.*', error)


@pytest.mark.parametrize('options', [[], ['--dry-run']])
def test_a_start_without_the_encoder_is_an_error(trained, tmp_path, monkeypatch, options):
    state = torch.load(trained / 'work' / 'epoch_1.pth', weights_only=False)['state_dict']
    raw = tmp_path / 'raw.pth'
    torch.save(dict(model=state), raw)
    command = [trained / 'tiny.py', '--work-dir', tmp_path / 'work', *options,
               '--cfg-options', f'load_from={raw}']
    error = run_tool(monkeypatch, 'train.py', *command)
    assert error.startswith(f'error: checkpoint {raw} (load_from) does not hold the encoder')
    assert 'backbone.conv1.conv.weight' in error and 'tools/data/convert_checkpoint.py' in error
    assert not list(tmp_path.rglob('epoch_*.pth'))


def test_the_file_that_a_training_starts_from_is_recorded(trained, tmp_path, monkeypatch):
    start, work = trained / 'work' / 'epoch_1.pth', tmp_path / 'work'
    for epochs in (1, 2):  # the second time it resumes, and its start stays the same
        assert run_tool(monkeypatch, 'train.py', trained / 'tiny.py', '--work-dir', work,
                        '--resume', '--cfg-options', f'load_from={start}',
                        f'train_cfg.max_epochs={epochs}') is None
    assert run_tool(monkeypatch, 'test.py', trained / 'tiny.py', work / 'epoch_2.pth',
                    '--work-dir', work) is None
    record = json.loads((work / 'run.json').read_text())
    assert record['load_from_sha256'] == file_sha256(start) != record['checkpoint_sha256']


@pytest.mark.parametrize('tool, options, message', [
    ('test.py', ['--splits', 'no'], "unknown split(s) ['no']; accepted: ['seen', 'unseen']"),
    ('train.py', ['--amp'], '--amp trains on a GPU only'),
    ('train.py', ['--auto-scale-lr'], 'needs `auto_scale_lr'),
    ('train.py', ['--launcher', 'pytorch'], "needs torch's launcher"),
    ('train.py', ['--threads', 0], '--threads must be at least 1'),
    ('train.py', ['--resume', 'none.pth'], 'checkpoint not found: none.pth')])
def test_a_bad_option_is_one_clear_error(trained, tmp_path, monkeypatch, tool, options, message):
    monkeypatch.setattr(f'{get_device.__module__}.DEVICE', 'cpu')
    monkeypatch.delenv('LOCAL_RANK', raising=False)
    files = [trained / 'tiny.py', trained / 'work' / 'epoch_1.pth'][:1 + (tool == 'test.py')]
    error = run_tool(monkeypatch, tool, *files, '--work-dir', tmp_path, *options)
    assert error.startswith('error: ') and message in error


def test_a_config_option_without_value_is_a_usage_error(trained, monkeypatch):
    error = run_tool(monkeypatch, 'train.py', trained / 'tiny.py', '--cfg-options', 'x')
    assert "--cfg-options: 'x' is not of the form KEY=VALUE" in error


def test_too_few_videos_for_a_batch_is_an_error(trained, tmp_path, monkeypatch):
    error = run_tool(monkeypatch, 'train.py', trained / 'tiny.py', '--work-dir', tmp_path,
                     '--cfg-options', 'train_dataloader.batch_size=9')
    assert '8 training videos make no batch of 9' in error


@pytest.mark.parametrize('script', ['dist_train.sh', 'dist_test.sh'])
def test_number_of_processes_is_checked(script):
    error = call('bash', ROOT / 'tools' / script, 'a', 'b', 'c', code=2).stderr
    assert 'GPUS is' in error


@pytest.mark.parametrize('gpus, seen', [('0', '[]'), ('1', '[3]')])
def test_gpus_0_is_the_cpu(tmp_path, monkeypatch, gpus, seen):
    python = tmp_path / 'python'
    python.write_text('#!/bin/sh\necho "[$CUDA_VISIBLE_DEVICES]"\n')
    python.chmod(0o755)
    monkeypatch.setitem(ENV, 'PYTHON', str(python))
    monkeypatch.setitem(ENV, 'CUDA_VISIBLE_DEVICES', '3')
    out = call('bash', ROOT / 'tools' / 'dist_train.sh', 'cfg.py', gpus).stdout
    assert out.strip() == seen


@pytest.mark.parametrize('script', ['slurm_train.sh', 'slurm_test.sh'])
def test_slurm_scripts_pass_their_arguments_on(tmp_path, monkeypatch, script):
    srun = tmp_path / 'srun'
    srun.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    srun.chmod(0o755)
    monkeypatch.setitem(ENV, 'PATH', f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setitem(ENV, 'GPUS', '4')
    arguments = ['gpu', 'name', 'cfg.py', 'last.pth', '--seed', '3']
    out = call('bash', ROOT / 'tools' / script, *arguments).stdout.split()
    assert out[out.index('-p') + 1] == 'gpu' and out[out.index('--ntasks') + 1] == '4'
    assert out[out.index('--job-name') + 1] == 'name' and '-A' not in out
    assert out[out.index('--gres') + 1] == 'gpu:4'
    assert out[-6:] == ['cfg.py', 'last.pth', '--seed', '3', '--launcher', 'slurm']
    monkeypatch.setitem(ENV, 'GPUS', '0')  # one task, on the CPU
    out = call('bash', ROOT / 'tools' / script, *arguments).stdout.split()
    assert '--gres' not in out and out[out.index('--ntasks') + 1] == '1'
    for name, value in dict(ACCOUNT='lab', TIME_LIMIT='1:00:00', MEMORY='64G').items():
        monkeypatch.setitem(ENV, name, value)
    out = call('bash', ROOT / 'tools' / script, '', *arguments[1:]).stdout.split()
    assert [out[out.index(option) + 1] for option in ('-A', '--time', '--mem')] == [
        'lab', '1:00:00', '64G']
    assert '-p' not in out  # the choice is Slurm's
