"""Run one step of a suite inside a Slurm job.

    python tools/slurm_step.py RUN_FOLDER/train.slurm.json

`tools/benchmark.py run SUITE --launcher slurm --jobs N` writes the file and submits the job.
Told by SIGUSR1 that its time ends, the job goes back into the queue; then, as after a preemption,
the training goes on from its last checkpoint.
"""
import os
import signal
import sys
import time
from pathlib import Path

from devias_mm.cli import run_tool
from devias_mm.errors import UsageError


class TimeIsUp(Exception):
    """Slurm says that the job will end soon."""


def add_arguments(parser) -> None:
    parser.add_argument('file', type=Path, help='what to run: <step>.slurm.json of a run folder')


def main(args) -> int:
    from devias_mm.harness.slurm_jobs import OPTIONS, call
    from devias_mm.harness.subprocesses import termination_as_interrupt
    signal.signal(signal.SIGUSR1, leave)
    if 'SLURM_JOB_ID' not in os.environ:
        raise UsageError('this is no Slurm job: tools/benchmark.py submits it')
    for name in OPTIONS:  # those of the job hold; a step of srun must not ask again
        os.environ.pop(name, None)
    step, launcher = read_step(args.file)
    number = os.environ['SLURM_JOB_ID']
    print(f'job {number}: {step.name} of {step.job.name}', flush=True)
    if step.complete:
        print('it is complete already')
        return 0
    try:
        with termination_as_interrupt():
            return run(step, launcher)
    except TimeIsUp:
        print('the time ends: back into the queue', flush=True)
        call(['scontrol', 'requeue', number])
        return 0


def read_step(file: Path):
    """Read what to run; return the step and its launcher."""
    from devias_mm.files import read_json
    from devias_mm.harness.slurm_jobs import thaw
    content = read_json(file)
    if content is None:
        raise UsageError(f'there is no file {file}')
    return thaw(content)


def leave(number, frame) -> None:
    """End what runs."""
    raise TimeIsUp


def run(step, launcher) -> int:
    """Run the command of a step and mark it as complete; return the exit code."""
    from devias_mm.harness.schedule import finish_step
    start = time.time()
    code = launcher(step, launcher.command(step), lambda: None)
    if code:
        return code if code > 0 else 1
    missing = finish_step(step, start)
    if missing:
        print(missing, file=sys.stderr)
        return 1
    print('it is complete', flush=True)
    return 0


if __name__ == '__main__':
    run_tool(main, add_arguments, __doc__)
