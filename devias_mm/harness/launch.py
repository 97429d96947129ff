"""Running jobs as subprocesses, so that a kill at any moment loses at most an epoch."""
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence

from devias_mm.cli import LAUNCHERS
from devias_mm.errors import UsageError
from devias_mm.harness.plan import Job
from devias_mm.harness.progress import Progress
from devias_mm.harness.steps import Derive, Step, Train, steps_left
from devias_mm.harness.subprocesses import run_command, termination_as_interrupt

# (step, command, called now and then while it runs) -> exit code
Runner = Callable[[Step, List[str], Callable[[], None]], int]


@dataclass(frozen=True)
class Launcher:
    """How the commands of a job are started: by ``tools/dist_*.sh`` or ``tools/slurm_*.sh``.

    Attributes:
        root: the repository's root, where the commands run.
        gpus: processes (GPUs) of a job; 0 hides the GPUs.
        name: ``'none'`` and ``'pytorch'`` start the processes on this machine, ``'slurm'`` by
            srun, which reads its options from the environment (`tools/dist_common.sh`).
        on_error: ``'fail'`` stops a test at the first unreadable video; with the
            others it goes on, and the table decides how the video counts.
    """
    root: Path
    gpus: int = 1
    name: str = 'none'
    on_error: str = 'count-wrong'

    def __post_init__(self):
        if self.name not in LAUNCHERS:
            raise UsageError(f'unknown launcher {self.name!r}: use one of {", ".join(LAUNCHERS)}')
        if self.gpus < 0:
            raise UsageError(f'gpus={self.gpus} must be 0 (CPU) or more')

    def command(self, step: Step) -> List[str]:
        """Return the command line of a step."""
        if isinstance(step, Derive):
            return step.command()
        config = str(step.folder.config)
        if isinstance(step, Train):
            return [*self._script('train', step), config, *self._count(), *step.arguments()]
        arguments = step.arguments()
        if self.on_error == 'fail':
            arguments += ['--on-error', 'fail']
        return [*self._script('test', step), config, step.job.checkpoint, *self._count(),
                *arguments]

    def _script(self, tool: str, step: Step) -> List[str]:
        if self.name != 'slurm':
            return ['bash', f'tools/dist_{tool}.sh']
        partition = os.environ.get('PARTITION', '')
        return ['bash', f'tools/slurm_{tool}.sh', partition, step.job.method]

    def _count(self) -> List[str]:
        """Return the number of processes as an argument; Slurm takes it from the environment."""
        return [] if self.name == 'slurm' else [str(self.gpus)]

    def environment(self) -> Dict[str, str]:
        """Return the environment of the commands: this Python, one thread for each process."""
        env = dict(os.environ)
        folders = [str(self.root)]
        if env.get('PYTHONPATH'):
            folders.append(env['PYTHONPATH'])
        env['PYTHONPATH'] = os.pathsep.join(folders)
        env['PYTHON'] = sys.executable
        env['PYTHONUNBUFFERED'] = '1'
        env['GPUS'] = str(self.gpus)
        env.setdefault('OMP_NUM_THREADS', '1')
        if self.gpus == 0:
            env['CUDA_VISIBLE_DEVICES'] = ''
        return env

    def __call__(self, step: Step, command: List[str], poll: Callable[[], None]) -> int:
        """Run the command of a step; return its exit code."""
        return run_command(command, step.folder.path, step.log, self.root, self.environment(),
                           poll)


@dataclass(frozen=True)
class Failure:
    """A job that failed: at which step, why, and the end of its log."""
    job: Job
    step: Step
    reason: str
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
    runner = runner or launcher
    progress = progress or Progress(jobs)
    failures = []
    with termination_as_interrupt(), progress:
        for job in jobs:
            failure = _run_job(job, launcher, runner, progress)
            if failure is None:
                progress.update(job, 'complete')
            else:
                failures.append(failure)
                progress.update(job, f'failed ({failure.step.name})')
    return failures


def _run_job(job: Job, launcher: Launcher, runner: Runner, progress: Progress
             ) -> Optional[Failure]:
    for step in steps_left(job):
        step.folder.path.mkdir(parents=True, exist_ok=True)
        step.job.folder.path.mkdir(parents=True, exist_ok=True)
        step.job.folder.write_config(step.job.cfg)
        progress.update(job, step.state if step.job is job else 'pre-training', step.log)
        reason = _run_step(step, launcher, runner, progress)
        if reason:
            return Failure(job, step, reason, log_tail(step.log))
    return None


def _run_step(step: Step, launcher: Launcher, runner: Runner, progress: Progress) -> str:
    """Run a step and mark it as complete; return why it failed, or an empty text."""
    start = time.time()
    code = runner(step, launcher.command(step), progress.refresh)
    if code:
        return f'exit code {code}'
    missing = step.missing_output()
    if missing:
        return missing
    step.mark(last_attempt_s=round(time.time() - start, 1))
    return ''


def log_tail(log: Path, lines: int = 12) -> str:
    """Return the last lines of a log file."""
    if not log.is_file():
        return '(no log)'
    with open(log, 'rb') as file:
        file.seek(max(0, log.stat().st_size - 8192))
        return '\n'.join(file.read().decode('utf-8', 'replace').splitlines()[-lines:])
