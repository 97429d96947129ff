"""The command lines, as they are typed."""
import os
import runpy
import shutil
import subprocess
import sys

import pytest
from mmengine.device import get_device
from tiny_runs import ROOT, make_config

ENV = dict(os.environ, PYTHON=sys.executable, PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1',
           CUDA_VISIBLE_DEVICES='')
SPLITS = ('seen', 'unseen')


def call(*command, code=0):
    result = subprocess.run([str(part) for part in command], cwd=ROOT, env=ENV, text=True,
                            capture_output=True, timeout=300)
    assert result.returncode == code, result.stdout[-3000:] + result.stderr[-3000:]
    return result


def run_tool(monkeypatch, name, *arguments):
    """Run a tool in this process; return its exit message, ``None`` where all went well."""
    monkeypatch.setattr(sys, 'argv', [name, *map(str, arguments)])
    try:
        runpy.run_path(str(ROOT / 'tools' / name), run_name='__main__')
    except SystemExit as end:
        return end.code
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


def test_two_processes_train(trained, tmp_path):
    call('bash', ROOT / 'tools' / 'dist_train.sh', trained / 'tiny.py', 2, '--work-dir', tmp_path,
         '--cfg-options', 'train_cfg.max_epochs=1')
    assert (tmp_path / 'epoch_1.pth').is_file()


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
    with open(tmp_path / 'annotations' / 'unseen.txt', 'a') as file:
        file.write('gone.mp4 0 0 0\n')
    options = ['--data-root', tmp_path, '--work-dir', tmp_path / 'work', '--check-test-lists']
    error = run_tool(monkeypatch, 'train.py', trained / 'tiny.py', *options)
    assert 'gone.mp4' in error and 'unseen.txt' in error and "split 'unseen'" in error
    assert error == run_tool(monkeypatch, 'train.py', trained / 'tiny.py', *options, 'un*')
    assert not list(tmp_path.rglob('*.pth'))


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


def test_a_config_option_without_value_is_a_usage_error(trained, monkeypatch, capsys):
    assert run_tool(monkeypatch, 'train.py', trained / 'tiny.py', '--cfg-options', 'x') == 2
    assert "--cfg-options: 'x' is not of the form KEY=VALUE" in capsys.readouterr().err


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
    assert out[:2] == ['-p', 'gpu'] and out[out.index('--ntasks') + 1] == '4'
    assert out[out.index('--gres') + 1] == 'gpu:4'
    assert out[-6:] == ['cfg.py', 'last.pth', '--seed', '3', '--launcher', 'slurm']
    monkeypatch.setitem(ENV, 'GPUS', '0')  # one task, on the CPU
    out = call('bash', ROOT / 'tools' / script, *arguments).stdout.split()
    assert '--gres' not in out and out[out.index('--ntasks') + 1] == '1'
