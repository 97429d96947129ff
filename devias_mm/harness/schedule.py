"""Running the jobs of a suite side by side, each in a slot of the machine."""
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from devias_mm.harness.launch import Launcher
from devias_mm.harness.plan import Job
from devias_mm.harness.progress import Progress
from devias_mm.harness.slots import Slot
from devias_mm.harness.steps import Step, steps_left
from devias_mm.harness.subprocesses import termination_as_interrupt

# (step, command, called now and then while it runs) -> exit code
Runner = Callable[[Step, List[str], Callable[[], None]], int]


@dataclass(frozen=True)
class Failure:
    """A job that is not complete.

    Attributes:
        job: the job.
        step: its step that failed, which may be one of its pre-training.
        reason: why.
        tail: the end of the step's log.
        not_run: whether the step failed for another job, so that nothing was run for this one.
    """
    job: Job
    step: Step
    reason: str
    tail: str
    not_run: bool = False


class Stopped(Exception):
    """The harness was told to end while a command was running."""


class Running(NamedTuple):
    """A step that runs now."""
    job: Job
    step: Step
    slot: Slot


def run_jobs(jobs: Sequence[Job], launcher: Launcher, runner: Optional[Runner] = None,
             progress: Optional[Progress] = None, slots: Sequence[Slot] = (Slot(), )
             ) -> List[Failure]:
    """Run what is not complete, as many jobs at a time as there are slots.

    Steps start in the order of the jobs. Never do two run in one folder: a pre-training that
    several jobs share runs once, and before them. A failure stops only the jobs that need what
    failed.

    Args:
        jobs: from :func:`devias_mm.harness.plan.plan_jobs`.
        launcher: makes the commands.
        runner: runs them; the launcher itself by default.
        progress: shows them; plain lines by default.
        slots: shares of the machine.

    Returns:
        list[Failure]: the jobs that are not complete.
    """
    progress = progress or Progress(jobs)
    schedule = Schedule(jobs, launcher, runner, progress, slots)
    with termination_as_interrupt(), progress:
        return schedule.run()


class Schedule:
    """Decides which step starts next; see :func:`run_jobs` for the arguments.

    The commands run in threads, one for each slot; everything else happens in the thread that
    calls :meth:`run`.
    """

    def __init__(self, jobs: Sequence[Job], launcher: Launcher, runner: Optional[Runner],
                 progress: Progress, slots: Sequence[Slot]):
        self.waiting = list(jobs)
        self.launcher = launcher
        self.runner = runner
        self.progress = progress
        self.free = list(slots)
        self.running: Dict[Future, Running] = {}
        self.failures: List[Failure] = []
        self.failed_steps: Dict[Tuple[Path, str], Job] = {}
        self.stop = threading.Event()

    def run(self) -> List[Failure]:
        """Run until nothing is left that can run."""
        with ThreadPoolExecutor(len(self.free)) as threads:
            try:
                self._start_steps(threads)
                while self.running:
                    self._end_steps()
                    self._start_steps(threads)
            finally:
                self.stop.set()  # ends what still runs when an exception leaves this block
        return self.failures

    def _start_steps(self, threads: ThreadPoolExecutor) -> None:
        """Start steps in the free slots."""
        for job in list(self.waiting):
            if not self.free:
                return
            step = next(steps_left(job), None)
            if step is None:
                self.waiting.remove(job)
                self.progress.update(job, 'complete')
            elif _key(step) in self.failed_steps:
                self._give_up(job, step)
            elif not self._is_busy(step.folder.path):
                self._start(threads, job, step)

    def _give_up(self, job: Job, step: Step) -> None:
        """Note that a job cannot run, because a step that it needs failed for another one."""
        other = self.failed_steps[_key(step)]
        self.waiting.remove(job)
        reason = f'it needs the same {step.name} as {other.name}, which failed'
        self.failures.append(Failure(job, step, reason, '', not_run=True))
        self.progress.update(job, 'not run')

    def _is_busy(self, folder: Path) -> bool:
        return any(running.step.folder.path == folder for running in self.running.values())

    def _start(self, threads: ThreadPoolExecutor, job: Job, step: Step) -> None:
        prepare_folders(step)
        state = step.state if step.job is job else 'pre-training'
        self.progress.update(job, state, step.log)
        slot = self.free.pop(0)
        self.waiting.remove(job)
        future = threads.submit(self._run_step, step, slot)
        self.running[future] = Running(job, step, slot)

    def _run_step(self, step: Step, slot: Slot) -> str:
        """Run a step in a slot and mark it as complete; return why it failed, or ``''``."""
        runner = self.runner or replace(self.launcher, slot=slot)
        start = time.time()
        code = runner(step, self.launcher.command(step), self._raise_if_stopped)
        if code:
            return f'exit code {code}'
        return finish_step(step, start)

    def _raise_if_stopped(self) -> None:
        if self.stop.is_set():
            raise Stopped

    def _end_steps(self) -> None:
        """Wait until a step ends; its job then waits for its next one."""
        ended = ()
        while not ended:
            ended, _ = wait(self.running, timeout=0.2, return_when=FIRST_COMPLETED)
            self.progress.refresh()
        for future in ended:
            job, step, slot = self.running.pop(future)
            self.free.append(slot)
            reason = future.result()
            if reason:
                self.failed_steps[_key(step)] = job
                self.failures.append(Failure(job, step, reason, log_tail(step.log)))
                self.progress.update(job, f'failed ({step.name})')
            else:
                # first, so that a job is finished before another one is begun
                self.waiting.insert(0, job)


def prepare_folders(step: Step) -> None:
    """Make the folders of a step, and write the config that it reads."""
    step.folder.path.mkdir(parents=True, exist_ok=True)
    step.job.folder.path.mkdir(parents=True, exist_ok=True)
    step.job.folder.write_config(step.job.cfg)


def finish_step(step: Step, start: float) -> str:
    """Mark a step as complete whose command has ended well; return what is missing, or ``''``.

    Args:
        step: the step.
        start: when it was started, in seconds of :func:`time.time`.
    """
    missing = step.missing_output()
    if not missing:
        step.mark(last_attempt_s=round(time.time() - start, 1))
    return missing


def _key(step: Step) -> Tuple[Path, str]:
    return step.folder.path, step.name


def log_tail(log: Path, lines: int = 12) -> str:
    """Return the last lines of a log file."""
    if not log.is_file():
        return '(no log)'
    with open(log, 'rb') as file:
        file.seek(max(0, log.stat().st_size - 8192))
        return '\n'.join(file.read().decode('utf-8', 'replace').splitlines()[-lines:])
