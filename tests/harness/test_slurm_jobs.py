"""What is submitted to Slurm, by programs that take its place; tests/cluster has a real one."""
import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest
from fake_suite import fake_train, make_repository, make_suite, write_table, write_tools

from devias_mm.errors import UsageError
from devias_mm.harness import Method
from devias_mm.harness.launch import Launcher
from devias_mm.harness.plan import plan_jobs
from devias_mm.harness.schedule import finish_step
from devias_mm.harness.slurm_jobs import (
    Submission,
    freeze,
    job_state,
    queued_jobs,
    slurm_log,
    thaw,
)
from devias_mm.harness.steps import steps_left
from devias_mm.store.identity import ROOT

NAIVE = Method('configs/naive.py')
RANK = ('model.bank', 'tools/rank.py')
SBATCH = """\
#!/usr/bin/env python3
import json, pathlib, sys
calls = pathlib.Path(__file__).parent / 'calls'
with open(calls, 'a') as file:
    print(json.dumps(sys.argv[1:]), file=file)
print(100 + len(calls.read_text().splitlines()))
"""


@pytest.fixture
def repository(tmp_path):
    return make_repository(tmp_path / 'repository')


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Folder of a fake sbatch, and of a squeue that prints the file `queue`."""
    folder = tmp_path / 'bin'
    folder.mkdir()
    (folder / 'queue').touch()
    (folder / 'calls').touch()
    for name, text in (('sbatch', SBATCH), ('squeue', f'#!/bin/sh\ncat {folder}/queue\n')):
        (folder / name).write_text(textwrap.dedent(text))
        (folder / name).chmod(0o755)
    monkeypatch.setenv('PATH', f'{folder}:/usr/bin:/bin')
    for name in ('PARTITION', 'ACCOUNT', 'TIME_LIMIT', 'MEMORY', 'SBATCH_ARGS', 'GPUS_PER_NODE',
                 'CPUS_PER_TASK'):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def jobs(repository):
    """A row that takes what a tool derives from a pre-training, and the pre-training's row."""
    methods = dict(dsm=Method('configs/strong.py', pretrain=NAIVE, derived=RANK), naive=NAIVE)
    return plan_jobs(make_suite(methods=methods, seeds=(0, )), repository, repository / 'out')


def submit(jobs, repository, lanes=2, gpus=16):
    submission = Submission(Launcher(repository, gpus, 'slurm'), 'toy', lanes)
    submission.submit(jobs)
    return submission


def calls(slurm):
    """Return the options of each call of sbatch."""
    found = []
    for line in (slurm / 'calls').read_text().splitlines():
        words = json.loads(line)
        single = [word for word in words if word in ('--parsable', '--requeue')]
        rest = [word for word in words if word not in single]
        found.append(dict(zip(rest[::2], rest[1::2])))
    return found


def test_each_step_waits_for_the_one_before(slurm, repository, jobs):
    submission = submit(jobs, repository)
    steps = [(step.job.folder.path.parent.name, step.name) for step in submission.submitted]
    assert steps == [('naive', 'train'), ('strong', 'rank'), ('strong', 'train'),
                     ('strong', 'test'), ('naive', 'test')]
    assert list(submission.submitted.values()) == ['101', '102', '103', '104', '105']
    options = calls(slurm)
    assert [call['--dependency'] for call in options] == [
        'singleton', 'afterok:101,singleton', 'afterok:102,singleton', 'afterok:103,singleton',
        'afterok:101,singleton']
    assert [call['--job-name'] for call in options] == ['toy-1'] * 4 + ['toy-2']
    assert {call['--signal'] for call in options} == {'B:USR1@60'}
    assert all(call['--wrap'].startswith('exec ') for call in options)


def test_options_come_from_the_environment(slurm, repository, jobs, monkeypatch):
    for name, value in dict(PARTITION='gpu', ACCOUNT='vision', TIME_LIMIT='1:00:00', MEMORY='64G',
                            CPUS_PER_TASK='7', GPUS_PER_NODE='4', SBATCH_ARGS='--qos long').items():
        monkeypatch.setenv(name, value)
    submit(jobs, repository)
    submit(plan_jobs(make_suite(), repository, repository / 'cpu'), repository, gpus=0)
    train, rank, *_, cpu = calls(slurm)
    expected = {'--partition': 'gpu', '--account': 'vision', '--time': '1:00:00', '--mem': '64G',
                '--cpus-per-task': '7', '--qos': 'long'}
    assert expected.items() <= train.items()
    assert (train['--ntasks'], train['--ntasks-per-node'], train['--gres']) == ('16', '4', 'gpu:4')
    assert rank['--ntasks'] == '1'  # the tool is one process
    assert cpu['--ntasks'] == '1' and '--gres' not in cpu


def test_only_what_is_missing_is_submitted(slurm, repository, jobs):
    submit(jobs, repository)
    (slurm / 'queue').write_text('101 RUNNING\n103 PENDING\n')
    again = submit(jobs, repository)
    assert sorted(again.waiting.values()) == ['101', '103']
    assert [step.name for step in again.submitted] == ['rank', 'test', 'test']
    # what is submitted now waits for what Slurm has already
    assert [call['--dependency'].split(',')[0] for call in calls(slurm)[5:]] == [
        'afterok:101', 'afterok:103', 'afterok:101']
    naive = jobs[1]
    fake_train(naive.work_dir)
    step = next(steps_left(naive))
    assert finish_step(step, 0) == ''
    assert 'train' not in [step.name for step in submit([naive], repository).submitted]


def test_what_is_frozen_is_the_step(repository, jobs):
    launcher = Launcher(repository, 2, 'slurm', 'fail')
    for step in steps_left(jobs[0]):
        content = json.loads(json.dumps(freeze(step, launcher)))
        found, found_launcher = thaw(content)
        assert found == step and found_launcher == launcher
        assert found_launcher.command(found) == launcher.command(step)
        assert found.folder == step.folder and not found.complete


def test_states(slurm, repository, jobs):
    dsm, naive = jobs
    assert job_state(naive, queued_jobs()).text == 'not submitted'
    submit(jobs, repository)
    for queue, text in (('101 RUNNING\n', 'running'), ('101 COMPLETING\n', 'running'),
                        ('101 PENDING\n', 'queued'), ('', 'not run')):
        (slurm / 'queue').write_text(queue)
        state = job_state(naive, queued_jobs())
        assert (state.text, state.number) == (text, '101')
    slurm_log(state.step, '101').touch()  # Slurm makes it when the job starts
    assert job_state(naive, queued_jobs()).text == 'failed'
    assert job_state(dsm, queued_jobs()).step.job == dsm.start  # it waits for its pre-training
    assert job_state(naive, None).text == 'unknown: squeue does not answer'
    # our own markers come first
    fake_train(naive.work_dir)
    for split in naive.splits:
        write_table(naive.predictions(split))
    for step in list(steps_left(naive)):
        finish_step(step, 0)
    (slurm / 'queue').write_text('101 RUNNING\n')
    assert job_state(naive, queued_jobs()).text == 'done'


def test_errors(slurm, repository, jobs, monkeypatch):
    with pytest.raises(UsageError, match='--jobs 0'):
        submit(jobs, repository, lanes=0)
    (slurm / 'sbatch').write_text('#!/bin/sh\necho "invalid partition" >&2\nexit 1\n')
    with pytest.raises(UsageError, match='sbatch failed: invalid partition; .*docs/cluster.md'):
        submit(jobs, repository)
    monkeypatch.setenv('PATH', str(repository))
    with pytest.raises(UsageError, match='squeue does not answer'):
        submit(jobs, repository)
    assert queued_jobs() is None


def run_submitted(slurm, repository):
    """Start what was submitted last, as Slurm would."""
    command = calls(slurm)[-1]['--wrap'].replace('tools/slurm_step.py',
                                                 str(ROOT / 'tools' / 'slurm_step.py'))
    environment = dict(os.environ, SLURM_JOB_ID='101', PYTHONPATH=str(ROOT))
    return subprocess.Popen(['sh', '-c', command], cwd=repository, env=environment, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_a_job_is_requeued_before_its_time_ends(slurm, repository):
    write_tools(repository)
    (repository / 'tools' / 'slurm_train.sh').write_text(
        f'exec {sys.executable} tools/train.py "${{@:3}}"\n')
    scontrol = slurm / 'scontrol'
    scontrol.write_text(f'#!/bin/sh\necho "$@" > {slurm}/requeued\n')
    scontrol.chmod(0o755)
    job, = plan_jobs(make_suite(), repository, repository / 'out', ['strong'], [0])
    (repository / 'hang').touch()
    train = next(steps_left(job))
    submission = submit([job], repository, gpus=0)
    assert len(submission.submitted) == 2
    lines = (slurm / 'calls').read_text().splitlines()
    (slurm / 'calls').write_text(lines[0] + '\n')  # the training
    process = run_submitted(slurm, repository)
    end = time.monotonic() + 60
    while not (train.log.is_file() and 'Epoch' in train.log.read_text()):
        assert process.poll() is None and time.monotonic() < end, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGUSR1)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0 and 'back into the queue' in output
    assert (slurm / 'requeued').read_text() == 'requeue 101\n' and not job.trained
    (repository / 'hang').unlink()
    for expected in ('it is complete\n', 'it is complete already\n'):
        output, _ = run_submitted(slurm, repository).communicate(timeout=60)
        assert output.endswith(expected)
        assert job.trained
