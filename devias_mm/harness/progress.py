"""What runs now: a live table on a terminal, plain lines in a log."""
import re
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, NamedTuple, Optional, Sequence

from rich.console import Console
from rich.live import Live
from rich.table import Table

from devias_mm.harness.plan import Job

_EPOCH = re.compile(r'Epoch\((?:train|test)\)\s+(?:\[\s*(\d+)\])?\[\s*(\d+)/(\d+)\]')
_ETA = re.compile(r'eta: ((?:\d+ days?, )?[\d:]+)')
_COLOURS = {'waiting': 'dim', 'pre-training': 'cyan', 'preparing': 'cyan',
            'training': 'cyan', 'testing': 'blue', 'complete': 'green'}


class Position(NamedTuple):
    """How far a run is, by its log."""
    epoch: int
    step: int
    steps: int
    eta: str


def read_position(log: Optional[Path], start: int = 0) -> Optional[Position]:
    """Return the last ``Epoch(train) [e][i/n] ... eta: ...`` line of an MMEngine log.

    Args:
        log: log file, or ``None``.
        start: bytes before it belong to an earlier attempt and are not read.

    Returns:
        Position: epoch 0 in a test; ``None`` where the log has no such line yet.
    """
    if log is None or not log.is_file():
        return None
    with open(log, 'rb') as file:
        file.seek(max(start, log.stat().st_size - 8192))
        lines = file.read().decode('utf-8', 'replace').splitlines()
    for line in reversed(lines):
        match = _EPOCH.search(line)
        if match:
            eta = _ETA.search(line)
            epoch, step, steps = match.groups()
            return Position(int(epoch or 0), int(step), int(steps), eta.group(1) if eta else '')
    return None


@dataclass
class RunningStep:
    """A step that runs now, by its log."""
    log: Path
    log_start: int
    last_line: float


class Progress:
    """Show what runs: a live table where the console is a terminal, plain lines elsewhere.

    Args:
        jobs: all jobs, in the order in which they run.
        console: where to show it.
        every: seconds between two plain lines about a running job.
    """

    def __init__(self, jobs: Sequence[Job], console: Optional[Console] = None,
                 every: float = 30.0):
        self.jobs = list(jobs)
        self.console = console or Console()
        self.every = every
        self.state: Dict[Job, str] = {
            job: 'complete' if job.tested else 'waiting' for job in jobs}
        self.started: Dict[Job, float] = {}
        self.ended: Dict[Job, float] = {}
        self.running: Dict[Job, RunningStep] = {}
        self._live: Optional[Live] = None

    def __enter__(self) -> 'Progress':
        done = sum(state == 'complete' for state in self.state.values())
        if done:
            self._say(f'{done} of {len(self.jobs)} jobs are complete already')
        if self.console.is_terminal:
            self._live = Live(get_renderable=self.table, console=self.console,
                              refresh_per_second=2)
            self._live.__enter__()
        return self

    def __exit__(self, *exc) -> None:
        if self._live is not None:
            self._live.__exit__(*exc)

    def update(self, job: Job, state: str, log: Optional[Path] = None) -> None:
        """Show that a job enters a state; ``log`` is the file that its command writes."""
        running = self.running.get(job)
        if self.state[job] == state and (running is None or running.log == log):
            return
        self.state[job] = state
        if log is None:
            self.ended[job] = time.time()
            self.running.pop(job, None)
        else:
            self._start_step(job, log)
        if self._live is None:
            self._say_state(job, log)

    def _start_step(self, job: Job, log: Path) -> None:
        self.started.setdefault(job, time.time())
        log_start = log.stat().st_size if log.is_file() else 0
        self.running[job] = RunningStep(log, log_start, time.time())

    def _say_state(self, job: Job, log: Optional[Path]) -> None:
        number = self.jobs.index(job) + 1
        text = f'[{number}/{len(self.jobs)}] {job.name}: {self.state[job]}'
        if log is not None:
            text += f' (log: {log})'
        elif self._elapsed(job):
            text += f' after {self._elapsed(job)}'
        self._say(text)

    def refresh(self) -> None:
        """Print a line about each running job now and then."""
        if self._live is not None:
            return
        for job, step in self.running.items():
            if time.time() - step.last_line < self.every:
                continue
            step.last_line = time.time()
            position = self._read_position(job)
            line = f'    {job.name}: {self.state[job]} {in_words(job, position)}'
            if position and position.eta:
                line += f', ETA {position.eta}'
            self._say(f'{line}, {self._elapsed(job)} so far')

    def table(self) -> Table:
        """Return the live table: a line for each running job, and one for all others."""
        table = Table(box=None, pad_edge=False, title_justify='left', caption_justify='left',
                      title=self._title(), caption=self._rest())
        for heading in ('job', 'state', 'progress', 'elapsed', 'ETA'):
            table.add_column(heading)
        lines = max(self.console.height - 4, 1)
        for job in list(self.running)[:lines]:  # a copy: the table is drawn by another thread
            state = self.state[job]
            position = self._read_position(job)
            table.add_row(job.name, f'[{_COLOURS.get(state, "red")}]{state}[/]',
                          in_words(job, position), self._elapsed(job),
                          position.eta if position else '')
        return table

    def _title(self) -> str:
        done = sum(state == 'complete' for state in self.state.values())
        return f'{done} of {len(self.jobs)} jobs complete'

    def _rest(self) -> str:
        """Count the jobs that do not run, by state: ``3 waiting, 1 failed (train)``."""
        counts = Counter(state for job, state in self.state.items() if job not in self.running)
        counts.pop('complete', None)
        return ', '.join(f'{count} {state}' for state, count in sorted(counts.items()))

    def _read_position(self, job: Job) -> Optional[Position]:
        step = self.running.get(job)
        return read_position(step.log, step.log_start) if step else None

    def _elapsed(self, job: Job) -> str:
        if job not in self.started:
            return ''
        seconds = int(self.ended.get(job, time.time()) - self.started[job])
        return f'{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}'

    def _say(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)


def in_words(job: Job, position: Optional[Position]) -> str:
    """Say how far a job is."""
    if position is None:
        return 'starting'
    epoch = f'epoch {position.epoch}/{job.epochs} ' if position.epoch else ''
    return f'{epoch}step {position.step}/{position.steps}'
