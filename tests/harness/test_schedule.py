"""Jobs side by side: slots, shared pre-trainings, failures, kills, and the same tables."""
import io
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from fake_suite import fake_train, make_repository, make_suite, write_table, write_tools
from rich.console import Console

from devias_mm.errors import UsageError
from devias_mm.harness import Method, slots
from devias_mm.harness.launch import Launcher
from devias_mm.harness.plan import plan_jobs
from devias_mm.harness.progress import Progress
from devias_mm.harness.schedule import run_jobs
from devias_mm.harness.slots import Slot, make_slots
from devias_mm.store.lock import folder_lock

NAIVE = Method('configs/naive.py')
TWO = [Slot(), Slot()]


class SlowRunner:
    """Writes what the tools write, slowly, and notes what runs at the same time."""

    def __init__(self, fail=()):
        self.fail = fail
        self.lock = threading.Lock()
        self.calls, self.running, self.most = [], [], 0

    def __call__(self, step, command, poll):
        name = (step.job.method, step.name)
        with self.lock:
            assert step.folder.path not in self.running, 'two commands in one folder'
            self.running.append(step.folder.path)
            self.most = max(self.most, len(self.running))
            self.calls.append(name)
        time.sleep(0.2)
        with self.lock:
            self.running.remove(step.folder.path)
        if name in self.fail:
            return 1
        if step.name == 'train':
            fake_train(step.job.work_dir)
        else:
            for split in step.job.splits:
                write_table(step.job.predictions(split))
        return 0


def plain(jobs):
    return Progress(jobs, Console(file=io.StringIO(), force_terminal=False, width=200))


@pytest.fixture
def repository(tmp_path):
    return make_repository(tmp_path / 'repository')


@pytest.fixture
def pretrained(repository):
    """Two rows that share a pre-training, which is a row itself, and one that does not."""
    faster = dict(model=dict(lr=1.0))
    methods = dict(dsm=Method('configs/strong.py', pretrain=NAIVE),
                   moco=Method('configs/strong.py', change=faster, pretrain=NAIVE),
                   naive=NAIVE, scene=Method('configs/scene.py'))
    return plan_jobs(make_suite(methods=methods, seeds=(0, )), repository, repository / 'out')


def test_as_many_jobs_as_slots(repository):
    for number in (1, 3):
        runner = SlowRunner()
        out = repository / f'out{number}'
        jobs = plan_jobs(make_suite(), repository, out)
        assert run_jobs(jobs, Launcher(repository), runner, plain(jobs), [Slot()] * number) == []
        assert runner.most == number and len(runner.calls) == 2 * len(jobs)
        assert all(job.tested for job in jobs)


def test_a_shared_pretraining_runs_once_and_first(repository, pretrained):
    runner = SlowRunner()
    assert run_jobs(pretrained, Launcher(repository), runner, plain(pretrained), TWO) == []
    assert sorted(runner.calls) == sorted(
        (job.method, step) for job in pretrained for step in ('train', 'test'))
    first = runner.calls.index(('naive', 'train'))
    for method in ('dsm', 'moco'):
        assert runner.calls.index((method, 'train')) > first
    # the row that needs nothing does not wait for it
    assert set(runner.calls[:2]) == {('naive', 'train'), ('scene', 'train')}


def test_what_needs_a_failed_pretraining_is_not_run(repository, pretrained):
    runner = SlowRunner(fail=[('naive', 'train')])
    progress = plain(pretrained)
    failures = run_jobs(pretrained, Launcher(repository), runner, progress, TWO)
    assert {failure.job.method: failure.not_run for failure in failures} == dict(
        dsm=False, moco=True, naive=True)
    assert sorted(runner.calls) == [('naive', 'train'), ('scene', 'test'), ('scene', 'train')]
    assert 'as dsm seed 0, which failed' in failures[1].reason
    text = progress.console.file.getvalue()
    assert 'moco seed 0: not run' in text and 'scene seed 0: complete' in text


def test_a_failed_test_fails_no_other_job(repository, pretrained):
    runner = SlowRunner(fail=[('naive', 'test')])
    failures = run_jobs(pretrained, Launcher(repository), runner, plain(pretrained), TWO)
    assert [(failure.job.method, failure.not_run) for failure in failures] == [('naive', False)]


def test_an_interrupt_ends_the_other_jobs(repository):
    jobs = plan_jobs(make_suite(), repository, repository / 'out')
    ended = []

    def runner(step, command, poll):
        if step.job.method == 'strong':
            raise KeyboardInterrupt
        try:
            while True:
                poll()
                time.sleep(0.01)
        finally:
            ended.append(step.job.method)

    with pytest.raises(KeyboardInterrupt):
        run_jobs(jobs, Launcher(repository), runner, plain(jobs), TWO)
    assert ended == ['naive']


HARNESS = """
import pathlib, sys
from fake_suite import make_suite
from devias_mm.harness.launch import Launcher
from devias_mm.harness.plan import plan_jobs
from devias_mm.harness.schedule import run_jobs
from devias_mm.harness.slots import make_slots
root = pathlib.Path(sys.argv[1])
jobs = plan_jobs(make_suite(seeds=(0, )), root, root / 'out')
sys.exit(bool(run_jobs(jobs, Launcher(root, gpus=0), slots=make_slots(2, 0))))
"""


def commands_in(repository):
    """Return the processes whose command lines name a folder."""
    found = []
    for entry in Path('/proc').glob('[0-9]*/cmdline'):
        try:
            command = entry.read_bytes().decode()
        except OSError:  # it has ended meanwhile
            continue
        if f'{repository}/out' in command:
            found.append(command)
    return found


def wait_until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, 'it does not come'
        time.sleep(0.05)


@pytest.mark.skipif(not Path('/proc/self/cmdline').exists(), reason='needs /proc')
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_orphan_after_a_kill(root, repository, number):
    write_tools(repository)
    (repository / 'hang').touch()
    environment = dict(os.environ, PYTHONPATH=f'{root}:{root}/tests/harness')
    command = [sys.executable, '-c', HARNESS, repository]
    with open(repository / 'harness.log', 'w') as log:
        harness = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    logs = []

    def two_train():
        assert harness.poll() is None, (repository / 'harness.log').read_text()
        logs[:] = repository.glob('out/runs/*/*/train.log')
        return sum('Epoch' in log.read_text() for log in logs) == 2

    wait_until(two_train)
    assert len(commands_in(repository)) == 2
    harness.send_signal(number)
    assert harness.wait(30) != 0
    wait_until(lambda: not commands_in(repository))
    for log in logs:
        with folder_lock(log.parent, lambda: pytest.fail('the folder is still held')):
            pass
    # the same command goes on
    (repository / 'hang').unlink()
    subprocess.run(command, env=environment, check=True, timeout=60)
    assert len(list(repository.glob('out/runs/*/*/test.done'))) == 3


def test_commands_are_kept_to_their_slot(repository):
    write_tools(repository)
    (repository / 'tools' / 'train.py').write_text(
        'import os\nprint("GPUs", os.environ["CUDA_VISIBLE_DEVICES"])\n'
        'print("cores", sorted(os.sched_getaffinity(0)))\n')
    jobs = plan_jobs(make_suite(), repository, repository / 'out', ['naive'], [0])
    before = os.sched_getaffinity(0)
    core = max(before)
    slot = Slot(gpus=('2', '5'), cores=(core, ))
    failure, = run_jobs(jobs, Launcher(repository), progress=plain(jobs), slots=[slot])
    assert f'GPUs 2,5\ncores [{core}]' in failure.tail
    assert os.sched_getaffinity(0) == before


def test_slots_of_gpus(monkeypatch):
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '4, 5,6,7,8')
    assert [slot.gpus for slot in make_slots(2, 2)] == [('4', '5'), ('6', '7')]
    assert make_slots(1, 2) == [Slot()]
    with pytest.raises(UsageError, match='needs 6 GPUs, and there are 5: use at most --jobs 2'):
        make_slots(3, 2)
    with pytest.raises(UsageError, match='use fewer GPUs'):
        make_slots(2, 8)
    with pytest.raises(UsageError, match='--jobs 0: accepted are 1 and more'):
        make_slots(0, 1)


def test_slots_of_cores(monkeypatch):
    monkeypatch.setattr(slots, 'available_cores', lambda: [0, 1, 2, 3, 6])
    assert [slot.cores for slot in make_slots(2, 0)] == [(0, 1), (2, 3, 6)]
    monkeypatch.setattr(slots, 'available_cores', lambda: [3, 4])
    shares = [slot.cores for slot in make_slots(3, 0)]
    assert all(len(share) == 1 for share in shares) and set(shares) == {(3, ), (4, )}
    # a machine without a GPU divides its cores, too
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '')
    assert [slot.cores for slot in make_slots(2, 1)] == [(3, ), (4, )]


def test_progress_of_several_jobs(repository):
    jobs = plan_jobs(make_suite(), repository, repository / 'out', seeds=[0, 1])
    progress = Progress(jobs, Console(file=io.StringIO(), width=120), every=0)
    for number, eta in enumerate(('0:01:02', '0:03:04')):
        log = repository / f'{number}.log'
        log.touch()
        progress.update(jobs[number], 'training', log)
        log.write_text(f'Epoch(train)  [1][20/64]  lr: 1e-3  eta: {eta}  time: 1\n')
    progress.update(jobs[2], 'failed (train)')
    progress.refresh()
    plain_lines = progress.console.file.getvalue()
    assert f'{jobs[0].name}: training epoch 1/3 step 20/64, ETA 0:01:02' in plain_lines
    assert 'ETA 0:03:04' in plain_lines
    progress.console.print(progress.table())
    text = progress.console.file.getvalue()[len(plain_lines):]
    assert '0:01:02' in text and '0:03:04' in text
    assert '1 failed (train), 3 waiting' in text
    assert jobs[4].name not in text  # one line for the rest


def test_another_pretraining_in_the_same_state_is_shown(repository):
    middle = Method('configs/strong.py', pretrain=NAIVE)
    methods = dict(probe=Method('configs/scene.py', pretrain=middle))
    jobs = plan_jobs(make_suite(methods=methods, seeds=(0, )), repository, repository / 'out')
    progress = plain(jobs)
    assert run_jobs(jobs, Launcher(repository), SlowRunner(), progress) == []
    lines = [line for line in progress.console.file.getvalue().splitlines()
             if 'pre-training' in line]
    assert len(lines) == 2 and 'runs/naive' in lines[0] and 'runs/strong' in lines[1]


def test_replacing_the_slot_keeps_the_launcher(repository):
    launcher = replace(Launcher(repository, gpus=0), slot=Slot(gpus=('1', )))
    assert launcher.environment()['CUDA_VISIBLE_DEVICES'] == ''  # the CPU was asked for
