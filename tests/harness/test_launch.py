import io
import os
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import replace

import pytest
from fake_suite import fake_train, make_repository, make_suite, write_table, write_tools
from rich.console import Console

from devias_mm.harness import Method
from devias_mm.harness.launch import Launcher
from devias_mm.harness.plan import plan_jobs
from devias_mm.harness.progress import Progress, read_position
from devias_mm.harness.schedule import run_jobs
from devias_mm.harness.steps import steps_left
from devias_mm.harness.subprocesses import termination_as_interrupt
from devias_mm.store.lock import folder_lock


class FakeRunner:
    """Writes what the tools write; raises or fails where it is told."""

    def __init__(self, kill_at=None, fail=()):
        self.calls, self.kill_at, self.fail = [], kill_at, fail

    def __call__(self, step, command, poll):
        job = step.job
        self.calls.append((job.method, job.seed, step.name))
        step.log.write_text(f'log of {job.name}')
        poll()
        if len(self.calls) == self.kill_at:
            # some of the output is there, but not all
            if step.name == 'test':
                write_table(job.predictions('seen'))
            raise KeyboardInterrupt
        if job.method in self.fail:
            step.log.write_text('Traceback\nOutOfMemory: of course')
            return 1
        if step.name == 'train':
            fake_train(job.work_dir)
        elif step.name == 'test':
            for split in job.splits:
                write_table(job.predictions(split))
        else:
            job.start.folder.derived(job.tool).mkdir()
        return 0


def plain(jobs):
    return Progress(jobs, Console(file=io.StringIO(), force_terminal=False, width=200))


@pytest.fixture
def repository(tmp_path):
    return make_repository(tmp_path / 'repository')


@pytest.mark.parametrize('kill_at', range(1, 9))
def test_continues_after_a_kill_anywhere(repository, kill_at):
    jobs = plan_jobs(make_suite(), repository, repository / 'out', methods=['naive', 'strong'])
    first = FakeRunner(kill_at)
    with pytest.raises(KeyboardInterrupt):
        run_jobs(jobs, Launcher(repository), first, plain(jobs))
    second = FakeRunner()
    assert run_jobs(jobs, Launcher(repository), second, plain(jobs)) == []
    # the killed step runs again, and nothing else twice
    assert first.calls[:-1] + second.calls == [
        (job.method, job.seed, step) for job in jobs for step in ('train', 'test')]
    third = FakeRunner()
    run_jobs(jobs, Launcher(repository), third, plain(jobs))
    assert third.calls == []
    assert all(job.tested for job in jobs)
    assert not list((repository / 'out').rglob('.*.done'))


NAIVE = Method('configs/naive.py')


def make_pretrained(repository, **changes):
    methods = {'dsm': Method('configs/strong.py', pretrain=NAIVE, **changes)}
    return plan_jobs(make_suite(methods=methods, seeds=(0, )), repository, repository / 'out')


@pytest.mark.parametrize('kill_at', range(1, 4))
def test_a_training_starts_from_its_pretraining(repository, kill_at):
    jobs = make_pretrained(repository)
    job, start = jobs[0], jobs[0].start
    assert start.work_dir.parent == repository / 'out' / 'runs' / 'naive'
    assert start.cfg.name == 'naive' and start.seed == job.seed
    assert job.cfg.load_from == str(start.work_dir / 'epoch_3.pth')
    first = FakeRunner(kill_at)
    with pytest.raises(KeyboardInterrupt):
        run_jobs(jobs, Launcher(repository), first, plain(jobs))
    assert start.trained == (kill_at > 1) and job.trained == (kill_at > 2)
    second, progress = FakeRunner(), plain(jobs)
    assert run_jobs(jobs, Launcher(repository), second, progress) == []
    assert [step for *_, step in first.calls[:-1] + second.calls] == ['train', 'train', 'test']
    assert job.tested and ('pre-training' in progress.console.file.getvalue()) == (kill_at == 1)
    shutil.rmtree(start.work_dir)  # a finished job does not need it
    third = FakeRunner()
    assert run_jobs(jobs, Launcher(repository), third, plain(jobs)) == [] and third.calls == []


def test_a_pretraining_that_is_a_row_itself_runs_once(repository):
    faster = dict(model=dict(lr=1.0))
    methods = dict(dsm=Method('configs/strong.py', pretrain=NAIVE), naive=NAIVE,
                   moco=Method('configs/strong.py', change=faster, pretrain=NAIVE),
                   other=Method('configs/strong.py', pretrain=replace(NAIVE, change=faster)))
    jobs = plan_jobs(make_suite(methods=methods, seeds=(0, )), repository, repository / 'out')
    dsm, naive, moco, other = jobs
    assert dsm.start.folder == moco.start.folder == naive.folder
    assert other.start.work_dir != naive.work_dir  # with another learning rate
    assert len({job.identity for job in jobs}) == 4
    runner = FakeRunner()
    assert run_jobs(jobs, Launcher(repository), runner, plain(jobs)) == []
    assert [(method, step) for method, _, step in runner.calls] == [
        ('naive', 'train'), ('dsm', 'train'), ('dsm', 'test'), ('naive', 'test'),
        ('moco', 'train'), ('moco', 'test'), ('naive', 'train'), ('other', 'train'),
        ('other', 'test')]


def test_a_pretraining_may_have_one_itself(repository):
    middle = Method('configs/strong.py', pretrain=NAIVE)
    methods = dict(probe=Method('configs/scene.py', pretrain=middle))
    jobs = plan_jobs(make_suite(methods=methods, seeds=(0, )), repository, repository / 'out')
    runner = FakeRunner()
    assert run_jobs(jobs, Launcher(repository), runner, plain(jobs)) == []
    assert [(method, step) for method, _, step in runner.calls] == [
        ('naive', 'train'), ('strong', 'train'), ('probe', 'train'), ('probe', 'test')]


RANK = dict(derived=('model.bank', 'tools/rank.py'))


@pytest.mark.parametrize('kill_at', range(1, 5))
def test_a_training_takes_what_a_tool_derives(repository, kill_at):
    jobs = make_pretrained(repository, **RANK)
    job, start = jobs[0], jobs[0].start
    assert job.identity != make_pretrained(repository)[0].identity
    # instead of the weights
    assert job.cfg.model.bank == str(start.work_dir / 'rank') and 'load_from' not in job.cfg
    launcher = Launcher(repository)
    _, derive, _, _ = steps_left(job)
    assert launcher.command(derive)[2:] == [
        'tools/rank.py', str(start.folder.config), str(start.folder.final_checkpoint), '--out',
        str(start.work_dir / 'rank')]
    first = FakeRunner(kill_at)
    with pytest.raises(KeyboardInterrupt):
        run_jobs(jobs, launcher, first, plain(jobs))
    second = FakeRunner()
    assert run_jobs(jobs, launcher, second, plain(jobs)) == []
    assert [step for *_, step in first.calls[:-1] + second.calls] == [
        'train', 'rank', 'train', 'test']


def test_what_a_tool_derives_is_shared(repository):
    methods = {name: Method('configs/strong.py', change=dict(model=dict(lr=lr)), pretrain=NAIVE,
                            **RANK) for name, lr in (('slow', 0.1), ('fast', 0.2))}
    jobs = plan_jobs(make_suite(methods=methods, seeds=(0, )), repository, repository / 'out')
    runner = FakeRunner()
    assert run_jobs(jobs, Launcher(repository), runner, plain(jobs)) == []
    assert [step for *_, step in runner.calls] == [
        'train', 'rank', 'train', 'test', 'train', 'test']


def test_a_tool_that_derives_nothing_fails_the_job(repository):
    def runner(step, command, poll):
        if step.name == 'train':
            fake_train(step.job.work_dir)
        return 0

    jobs = make_pretrained(repository, **RANK)
    failure, = run_jobs(jobs, Launcher(repository), runner, plain(jobs))
    assert failure.step.name == 'rank' and 'nothing was written to' in failure.reason


def test_a_pretraining_is_a_method():
    with pytest.raises(ValueError, match="pretrain='configs/naive.py' must be a Method"):
        Method('configs/strong.py', pretrain='configs/naive.py')


def test_derived_needs_a_pretraining():
    with pytest.raises(ValueError, match='needs a pretrain'):
        Method('configs/strong.py', derived=('model.bank', 'tools/rank.py'))


def test_another_pretraining_is_another_job(repository):
    first = make_pretrained(repository)[0]
    config = repository / 'configs' / 'naive.py'
    config.write_text(config.read_text() + 'warm = True\n')
    second = make_pretrained(repository)[0]
    assert first.start.identity != second.start.identity
    assert first.identity != second.identity


def test_a_failed_pretraining_fails_the_job(repository):
    jobs = make_pretrained(repository)
    failures = run_jobs(jobs, Launcher(repository), FakeRunner(fail=['naive']), plain(jobs))
    assert [(failure.job, failure.step.job) for failure in failures] == [(jobs[0], jobs[0].start)]
    assert not jobs[0].trained


def test_tested_jobs_need_no_checkpoint(repository):
    jobs = plan_jobs(make_suite(), repository, repository / 'out', methods=['naive'])
    run_jobs(jobs, Launcher(repository), FakeRunner(), plain(jobs))
    for checkpoint in (repository / 'out').rglob('*.pth'):
        checkpoint.unlink()
    again = FakeRunner()
    assert run_jobs(jobs, Launcher(repository), again, plain(jobs)) == []
    assert again.calls == []


def test_a_failing_job_does_not_stop_the_others(repository):
    jobs = plan_jobs(make_suite(), repository, repository / 'out')
    progress = plain(jobs)
    failures = run_jobs(jobs, Launcher(repository), FakeRunner(fail=['strong']), progress)
    assert [(f.job.method, f.job.seed, f.step.name, f.reason) for f in failures] == [
        ('strong', 0, 'train', 'exit code 1'), ('strong', 1, 'train', 'exit code 1')]
    assert 'OutOfMemory' in failures[0].tail
    assert [job.method for job in jobs if job.tested] == ['naive', 'scene'] * 2
    text = progress.console.file.getvalue()
    assert 'strong seed 0: failed (train)' in text and '[1/6] naive seed 0: complete' in text


def test_success_without_output_is_a_failure(repository):
    jobs = plan_jobs(make_suite(), repository, repository / 'out', ['naive'], [0])
    reasons = []
    for runner in (lambda *args: 0,
                   lambda step, *rest: fake_train(step.job.work_dir) or 0):
        reasons += [f.reason for f in run_jobs(jobs, Launcher(repository), runner, plain(jobs))]
    assert 'last_checkpoint' in reasons[0]
    assert reasons[1] == 'no prediction table of split seen, unseen, texture, scene-only'


def test_real_processes(repository):
    write_tools(repository)
    (repository / 'break-naive').touch()
    launcher = Launcher(repository)
    jobs = plan_jobs(make_suite(), repository, repository / 'out', ['naive', 'strong'], [0])
    naive, strong = jobs
    failures = run_jobs(jobs, launcher, progress=plain(jobs))
    assert [failure.job for failure in failures] == [naive] and strong.tested
    assert failures[0].reason == 'exit code 3'
    assert 'the reason of the failure' in failures[0].tail
    assert failures[0].step.log.read_text().startswith('$ ')
    position = read_position(naive.work_dir / 'train.log')
    assert position == (2, 10, 64, '0:01:02')
    (repository / 'break-naive').unlink()
    assert run_jobs(jobs, launcher, progress=plain(jobs)) == []
    assert naive.tested


def test_termination_ends_the_command(repository):
    write_tools(repository)
    (repository / 'hang').touch()
    jobs = plan_jobs(make_suite(), repository, repository / 'out', ['naive'], [0])
    log = jobs[0].work_dir / 'train.log'

    def kill_when_started():
        while not (log.is_file() and 'Epoch' in log.read_text()):
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=kill_when_started)
    thread.start()
    with pytest.raises(SystemExit) as exit_info:
        run_jobs(jobs, Launcher(repository), progress=plain(jobs))
    thread.join()
    assert exit_info.value.code == 128 + signal.SIGTERM
    # nothing holds the folder any more
    with folder_lock(jobs[0].work_dir, lambda: pytest.fail('the command is still running')):
        pass
    assert not jobs[0].trained


def test_lock_outlives_the_harness_with_the_command(tmp_path):
    polls = []
    with folder_lock(tmp_path) as lock:
        process = subprocess.Popen(['sleep', '0.7'], pass_fds=(lock, ))
    with folder_lock(tmp_path, lambda: polls.append(1)):
        assert process.poll() is not None or process.wait(1) == 0
    assert polls


def test_live_table_shows_state_and_eta(repository):
    jobs = plan_jobs(make_suite(), repository, repository / 'out', ['naive', 'strong'], [0])
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    progress = Progress(jobs, console)
    log = jobs[0].work_dir / 'train.log'
    log.parent.mkdir(parents=True)
    log.write_text('old attempt: Epoch(train)  [3][60/64] eta: 0:00:01\n')
    progress.update(jobs[0], 'training', log)
    with open(log, 'a') as file:
        file.write('Epoch(train)  [1][20/64]  lr: 1e-3  eta: 1 day, 2:03:04  time: 1\n')
    console.print(progress.table())
    text = console.file.getvalue()
    assert 'epoch 1/3 step 20/64' in text and '1 day, 2:03:04' in text and 'waiting' in text


def test_live_table_keeps_the_current_job_on_a_small_screen(repository):
    jobs = plan_jobs(make_suite(seeds=range(20)), repository, repository / 'out')
    progress = Progress(jobs, Console(file=io.StringIO(), width=120, height=10))
    progress.update(jobs[40], 'training', repository / 'log')
    progress.console.print(progress.table())
    lines = progress.console.file.getvalue().splitlines()
    assert len(lines) <= 10 and any(jobs[40].name in line for line in lines)


def test_nohup_is_respected():
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with termination_as_interrupt():
            os.kill(os.getpid(), signal.SIGHUP)
        with pytest.raises(SystemExit), termination_as_interrupt():
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(1)
    finally:
        signal.signal(signal.SIGHUP, previous)
