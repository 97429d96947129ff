"""Running jobs as subprocesses, so that a kill at any moment loses at most an epoch."""
import fcntl
import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from devias_mm.harness.plan import Job, cfg_options
from devias_mm.harness.progress import Progress

LAUNCHERS = ('none', 'pytorch', 'slurm')
# (job, step, command, log file, called now and then while the step runs) -> exit code
Runner = Callable[[Job, str, List[str], Path, Callable[[], None]], int]


@dataclass(frozen=True)
class Launcher:
    """How ``tools/train.py`` and ``tools/test.py`` are started.

    Attributes:
        root: the repository's root, where the commands run.
        gpus: processes (GPUs) of a job; 0 hides the GPUs.
        name: ``'none'``, ``'pytorch'`` (implied by more than one GPU), ``'slurm'``.
            Slurm reads PARTITION, GPUS_PER_NODE, CPUS_PER_TASK and SRUN_ARGS
            from the environment.
        on_error: ``'fail'`` stops a test at the first unreadable video; with the
            others it goes on, and the table decides how the video counts.
    """
    root: Path
    gpus: int = 1
    name: str = 'none'
    on_error: str = 'count-wrong'

    def __post_init__(self):
        if self.name not in LAUNCHERS:
            raise ValueError(f'unknown launcher {self.name!r}: use one of {", ".join(LAUNCHERS)}')
        if self.gpus < 0:
            raise ValueError(f'gpus={self.gpus} must be 0 (CPU) or more')

    def command(self, job: Job, step: str) -> List[str]:
        """The command line of a step ('derive', 'train' or 'test') of a job."""
        if step == 'derive':
            start = job.start
            options = ['--cfg-options', *cfg_options(start.options)] if start.options else []
            return [sys.executable, '-u', job.derived[1], start.config,
                    str(start.final_checkpoint), '--out', str(job.derived_folder), *options]
        if step == 'train':
            arguments = [job.config, '--work-dir', str(job.work_dir), '--resume',
                         '--seed', str(job.seed), '--check-test-lists', *job.splits]
        else:
            checkpoint = job.checkpoint() or job.final_checkpoint
            arguments = [job.config, job.weights or str(checkpoint),
                         '--work-dir', str(job.work_dir), '--splits', *job.splits]
            if job.weights:
                arguments += ['--suite', job.suite]
            if self.on_error == 'fail':
                arguments += ['--on-error', 'fail']
        name = 'pytorch' if self.name == 'none' and self.gpus > 1 else self.name
        if name != 'none':
            arguments += ['--launcher', name]
        options = dict(job.options)
        if step == 'train' and job.derived:
            options[job.derived[0]] = str(job.derived_folder)
        elif step == 'train' and job.start is not None:
            options['load_from'] = str(job.start.final_checkpoint)
        if options:
            arguments += ['--cfg-options', *cfg_options(options)]
        tool = 'test_bias' if job.weights else step
        return [*self._prefix(name, job), f'tools/{tool}.py', *arguments]

    def environment(self) -> Dict[str, str]:
        """Environment of the commands: importable package, one thread per process."""
        env = dict(os.environ)
        env['PYTHONPATH'] = os.pathsep.join(filter(None, (str(self.root),
                                                          env.get('PYTHONPATH'))))
        env.setdefault('OMP_NUM_THREADS', '1')
        if self.gpus == 0:
            env['CUDA_VISIBLE_DEVICES'] = ''
        return env

    def _prefix(self, name: str, job: Job) -> List[str]:
        processes = max(self.gpus, 1)
        if name == 'pytorch':
            # --standalone picks a free port, so that jobs beside each other do not collide
            return [sys.executable, '-m', 'torch.distributed.run', '--standalone',
                    '--nnodes=1', f'--nproc_per_node={processes}']
        if name == 'slurm':
            per_node = min(int(os.environ.get('GPUS_PER_NODE', 8)), processes)
            partition = os.environ.get('PARTITION')
            return ['srun', *(['-p', partition] if partition else []),
                    f'--job-name={job.method}',
                    *([f'--gres=gpu:{per_node}'] if self.gpus else []),
                    f'--ntasks={processes}', f'--ntasks-per-node={per_node}',
                    f'--cpus-per-task={os.environ.get("CPUS_PER_TASK", 5)}',
                    '--kill-on-bad-exit=1', *shlex.split(os.environ.get('SRUN_ARGS', '')),
                    sys.executable, '-u']
        return [sys.executable, '-u']

    def __call__(self, job: Job, step: str, command: List[str], log: Path,
                 poll: Callable[[], None]) -> int:
        """Run a command with its output in ``log``; it ends when this process is told to end."""
        with open(log, 'a', encoding='utf-8') as output, run_lock(job.work_dir, poll) as lock:
            output.write(f'$ {shlex.join(command)}\n')
            output.flush()
            process = subprocess.Popen(
                command, cwd=self.root, env=self.environment(), stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
                pass_fds=(lock, ))
            try:
                while process.poll() is None:
                    poll()
                    time.sleep(0.2)
            finally:
                end_process_group(process)
        return process.returncode


@contextmanager
def run_lock(work_dir: Path, poll: Callable[[], None]) -> Iterator[int]:
    """Hold a run folder alone; wait while another process writes in it.

    The command inherits the lock: if the harness is killed outright and leaves
    a training behind, the next start waits for it instead of running a second
    one in the same folder.
    """
    handle = os.open(work_dir / '.lock', os.O_RDWR | os.O_CREAT, 0o666)
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                poll()
                time.sleep(0.5)
        yield handle
    finally:
        os.close(handle)


def end_process_group(process: subprocess.Popen, patience: float = 10.0) -> None:
    """Stop a command and the processes it started (workers, ranks)."""
    for sign, wait in ((signal.SIGTERM, patience), (signal.SIGKILL, None)):
        if process.poll() is not None:
            return
        os.killpg(process.pid, sign)
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            continue


@contextmanager
def termination_as_interrupt() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into ``SystemExit``, so that running commands are ended.

    A signal that is ignored, as ``nohup`` arranges, stays ignored.
    """
    def leave(number, frame):
        raise SystemExit(128 + number)

    previous = {number: signal.signal(number, leave)
                for number in (signal.SIGTERM, signal.SIGHUP)
                if signal.getsignal(number) != signal.SIG_IGN}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@dataclass(frozen=True)
class Failure:
    """A job that failed: why, and the end of its log."""
    job: Job
    step: str
    reason: str
    log: Path
    tail: str


def run_jobs(jobs: Sequence[Job], launcher: Launcher, runner: Optional[Runner] = None,
             progress: Optional[Progress] = None) -> List[Failure]:
    """Run what is not complete, one job after the other; a failure does not stop the rest.

    Args:
        jobs: from :func:`devias_mm.harness.plan.plan_jobs`.
        launcher: makes the commands.
        runner: runs them; the launcher itself by default.
        progress: shows them; plain lines by default.

    Returns:
        list[Failure]: the jobs that failed.
    """
    runner, failures = runner or launcher, []
    with termination_as_interrupt(), (progress or Progress(jobs)) as shown:
        for job in jobs:
            failure = None
            for part, step in steps_left(job):
                failure = _run_step(part, step, launcher, runner, shown, job)
                if failure is not None:
                    break
            if failure is None:
                shown.update(job, 'complete')
            else:
                failures.append(failure)
                shown.update(job, f'failed ({failure.step})')
    return failures


def steps_left(job: Job) -> Iterator[Tuple[Job, str]]:
    """What a job still needs; one that is trained does not need its pre-training any more."""
    if job.tested:  # its checkpoints may have been deleted to save space
        return
    if not job.trained:
        if job.start is not None and not job.start.trained:
            yield job.start, 'train'
        if not job.derivation_done:
            yield job, 'derive'
        yield job, 'train'
    yield job, 'test'


def _run_step(job: Job, step: str, launcher: Launcher, runner: Runner, shown: Progress,
              shown_as: Job) -> Optional[Failure]:
    job.work_dir.mkdir(parents=True, exist_ok=True)
    log = job.work_dir / f'{step}.log'
    start = time.time()
    state = dict(derive='preparing', train='training', test='testing')[step]
    shown.update(shown_as, state if job is shown_as else 'pre-training', log)
    code = runner(job, step, launcher.command(job, step), log, shown.refresh)
    reason = f'exit code {code}' if code else _missing_output(job, step)
    if reason:
        return Failure(job, step, reason, log, log_tail(log))
    content = {} if step == 'derive' else dict(checkpoint=job.checkpoint().name)
    if step == 'test':
        content.update(splits=list(job.splits))
    job.mark(step, last_attempt_s=round(time.time() - start, 1), **content)
    return None


def _missing_output(job: Job, step: str) -> str:
    if step == 'derive':
        return '' if job.derived_folder.is_dir() else f'nothing was written to {job.derived_folder}'
    if job.checkpoint() is None:
        return f'no checkpoint: {job.work_dir / "last_checkpoint"} names none that exists'
    missing = [split for split in job.splits if not job.predictions(split).is_file()]
    if step == 'test' and missing:
        return f'no prediction table of split {", ".join(missing)}'
    return ''


def log_tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log file."""
    if not log.is_file():
        return '(no log)'
    with open(log, 'rb') as file:
        file.seek(max(0, log.stat().st_size - 8192))
        return '\n'.join(file.read().decode('utf-8', 'replace').splitlines()[-lines:])
