import io
import os
import shutil
import signal
import subprocess
import threading
import time

import pytest
from fake_suite import fake_train, make_repository, make_suite, write_table, write_tools
from rich.console import Console

from devias_mm.harness import Method
from devias_mm.harness.launch import Launcher, run_jobs, run_lock, termination_as_interrupt
from devias_mm.harness.plan import plan_jobs
from devias_mm.harness.progress import Progress, read_position


class FakeRunner:
    """Writes what the tools write; raises or fails where it is told."""

    def __init__(self, kill_at=None, fail=()):
        self.calls, self.kill_at, self.fail = [], kill_at, fail

    def __call__(self, job, step, command, log, poll):
        self.calls.append((job.method, job.seed, step))
        log.write_text(f'log of {job.name}')
        poll()
        if len(self.calls) == self.kill_at:
            # some of the output is there, but not all
            if step == 'test':
                write_table(job.predictions('seen'))
            raise KeyboardInterrupt
        if job.method in self.fail:
            log.write_text('Traceback\nOutOfMemory: of course')
            return 1
        if step == 'derive':
            job.derived_folder.mkdir()
        elif step == 'train':
            fake_train(job.work_dir)
        else:
            for split in job.splits:
                write_table(job.predictions(split))
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


def make_pretrained(repository, **changes):
    methods = {'dsm': Method('configs/strong.py', pretrain=Method('configs/naive.py'), **changes)}
    return plan_jobs(make_suite(methods=methods, seeds=(0, )), repository, repository / 'out')


@pytest.mark.parametrize('kill_at', range(1, 4))
def test_a_training_starts_from_its_pretraining(repository, kill_at):
    jobs = make_pretrained(repository)
    job, start = jobs[0], jobs[0].start
    assert start.work_dir.parent == repository / 'out' / 'pretraining' / 'naive'
    assert start.config == 'configs/naive.py' and start.seed == job.seed
    command = Launcher(repository).command(job, 'train')
    assert command[-2:] == ['--cfg-options', f'load_from={start.work_dir / "epoch_3.pth"}']
    assert not any('load_from' in word for word in Launcher(repository).command(job, 'test'))
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
    start = dict(pretrain=Method('configs/naive.py'))
    methods = dict(dsm=Method('configs/strong.py', **start), naive=Method('configs/naive.py'),
                   moco=Method('configs/strong.py', overrides={'lr': 1.}, **start))
    jobs = plan_jobs(make_suite(methods=methods, seeds=(0, )), repository, repository / 'out')
    dsm, naive, moco = jobs
    assert dsm.start.work_dir == naive.work_dir and dsm.start.identity == naive.identity
    assert moco.start.work_dir != naive.work_dir  # with another learning rate
    runner = FakeRunner()
    assert run_jobs(jobs, Launcher(repository), runner, plain(jobs)) == []
    assert [(method, step) for method, _, step in runner.calls] == [
        ('dsm', 'train'), ('dsm', 'train'), ('dsm', 'test'), ('naive', 'test'),
        ('moco', 'train'), ('moco', 'train'), ('moco', 'test')]


@pytest.mark.parametrize('kill_at', range(1, 5))
def test_a_training_takes_what_a_tool_derives(repository, kill_at):
    jobs = make_pretrained(repository, derived=('model.bank', 'tools/rank.py'))
    job, start = jobs[0], jobs[0].start
    assert job.identity != make_pretrained(repository)[0].identity
    launcher = Launcher(repository)
    assert launcher.command(job, 'derive')[2:] == [
        'tools/rank.py', 'configs/naive.py', str(start.final_checkpoint), '--out',
        str(job.work_dir / 'rank')]
    # instead of the weights
    assert launcher.command(job, 'train')[-2:] == [
        '--cfg-options', f'model.bank={job.work_dir / "rank"}']
    first = FakeRunner(kill_at)
    with pytest.raises(KeyboardInterrupt):
        run_jobs(jobs, launcher, first, plain(jobs))
    second = FakeRunner()
    assert run_jobs(jobs, launcher, second, plain(jobs)) == []
    assert [step for *_, step in first.calls[:-1] + second.calls] == [
        'train', 'derive', 'train', 'test']


def test_a_tool_that_derives_nothing_fails_the_job(repository):
    jobs = make_pretrained(repository, derived=('model.bank', 'tools/rank.py'))
    failure, = run_jobs(jobs, Launcher(repository), lambda job, step, *_: (
        fake_train(job.work_dir) if step == 'train' else None) or 0, plain(jobs))
    assert failure.step == 'derive' and 'nothing was written to' in failure.reason


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
    failures = run_jobs(jobs, Launcher(repository), FakeRunner(fail=['dsm']), plain(jobs))
    assert [failure.job for failure in failures] == [jobs[0].start]
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
    assert [(f.job.method, f.job.seed, f.step, f.reason) for f in failures] == [
        ('strong', 0, 'train', 'exit code 1'), ('strong', 1, 'train', 'exit code 1')]
    assert 'OutOfMemory' in failures[0].tail
    assert [job.method for job in jobs if job.tested] == ['naive', 'scene'] * 2
    text = progress.console.file.getvalue()
    assert 'strong seed 0: failed (train)' in text and '[1/6] naive seed 0: complete' in text


def test_success_without_output_is_a_failure(repository):
    jobs = plan_jobs(make_suite(), repository, repository / 'out', ['naive'], [0])
    reasons = []
    for runner in (lambda *args: 0,
                   lambda job, step, *rest: fake_train(job.work_dir) or 0):
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
    assert failures[0].log.read_text().startswith('$ ')
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
    with run_lock(jobs[0].work_dir, lambda: pytest.fail('the command is still running')):
        pass
    assert not jobs[0].trained


def test_lock_outlives_the_harness_with_the_command(tmp_path):
    polls = []
    with run_lock(tmp_path, lambda: None) as lock:
        process = subprocess.Popen(['sleep', '0.7'], pass_fds=(lock, ))
    with run_lock(tmp_path, lambda: polls.append(1)):
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
