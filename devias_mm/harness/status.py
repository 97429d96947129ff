"""What has become of a suite whose jobs were submitted to Slurm."""
from collections import Counter
from pathlib import Path
from typing import List, Optional, Sequence, Tuple

from rich.console import Console
from rich.table import Table

from devias_mm.files import read_json
from devias_mm.harness.progress import in_words, read_position
from devias_mm.harness.runs import Run
from devias_mm.harness.schedule import log_tail
from devias_mm.harness.slurm_jobs import State, job_state, queued_jobs, slurm_log, thaw
from devias_mm.harness.steps import Step

_COLOURS = {'done': 'green', 'running': 'cyan', 'queued': 'dim', 'failed': 'red'}


def run_state(run: Run, queue: Optional[dict]) -> State:
    """Return the state of a run: by its markers, by what was submitted, and by the queue.

    Args:
        run: from :func:`devias_mm.harness.runs.indexed_runs`.
        queue: from :func:`devias_mm.harness.slurm_jobs.queued_jobs`.
    """
    if run.folder is None:
        return State('not submitted')
    if run.tested:
        return State('done')
    content = read_json(run.folder.path / 'test.slurm.json')
    if content is None:
        return State('not submitted')
    step, _ = thaw(content)
    return job_state(step.job, queue)


def print_status(runs: Sequence[Run], console: Console) -> None:
    """Print the state of each run, and the end of the log of each step that failed."""
    queue = queued_jobs()
    states = [(run, run_state(run, queue)) for run in runs]
    counts = Counter(state.text for _, state in states)
    table = Table(box=None, pad_edge=False, title_justify='left',
                  title=', '.join(f'{count} {text}' for text, count in counts.items()))
    for heading in ('run', 'state', 'step', 'Slurm job', 'progress', 'ETA'):
        table.add_column(heading)
    for run, state in states:
        table.add_row(run.name, f'[{_COLOURS.get(state.text, "yellow")}]{state.text}[/]',
                      _step_name(run, state.step), state.number, *_progress(state))
    console.print(table)
    for state in failed_steps(states):
        for log in (state.step.log, slurm_log(state.step, state.number)):
            console.print(f'\nthe end of {log}:\n{log_tail(log)}', markup=False, soft_wrap=True)


def failed_steps(states: Sequence[Tuple[Run, State]]) -> List[State]:
    """List the steps that failed, each once, also where several runs need it."""
    found = {}
    for _, state in states:
        if state.text == 'failed':
            found[state.step.log] = state
    return list(found.values())


def _step_name(run: Run, step: Optional[Step]) -> str:
    if step is None:
        return ''
    return step.name if step.job.work_dir == run.work_dir else f'pre-training: {step.name}'


def _progress(state: State) -> Tuple[str, str]:
    """Return how far a running step is, and its ETA."""
    if state.text != 'running':
        return '', ''
    log: Path = state.step.log
    position = read_position(log)
    return in_words(state.step.job, position), position.eta if position else ''
