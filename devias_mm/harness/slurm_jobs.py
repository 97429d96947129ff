"""Handing the steps of a suite over to Slurm, and telling what has become of them.

Every step is a batch job of its own that runs ``tools/slurm_step.py``. It waits for the job of the
step before (``afterok``), and for its turn: the jobs are dealt out to lanes, and Slurm runs one
job of a lane at a time (``singleton``). What a job needs to know is frozen in the run folder when
it is submitted, so that a suite may be edited while its jobs wait.
"""
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

from devias_mm.errors import UsageError
from devias_mm.files import read_json, write_json
from devias_mm.harness.launch import Launcher
from devias_mm.harness.plan import Job
from devias_mm.harness.schedule import prepare_folders
from devias_mm.harness.steps import Derive, Step, Test, Train, steps_left
from devias_mm.store.run_folder import RunFolder

#: seconds before the end of its time at which a job is told to make room and to come again
NOTICE_S = 60
OPTIONS = {'PARTITION': '--partition', 'ACCOUNT': '--account', 'TIME_LIMIT': '--time',
           'MEMORY': '--mem'}
STEPS = {'train': Train, 'test': Test, 'derive': Derive}


@dataclass
class Submission:
    """Submits what is missing.

    Args:
        launcher: says how many GPUs a job has.
        name: of the suite, for the names of the jobs.
        lanes: jobs at a time.

    Attributes:
        submitted: step -> number of its job, of those that this submission made.
        waiting: likewise, of those that Slurm had already.
    """
    launcher: Launcher
    name: str
    lanes: int
    submitted: Dict[Step, str] = field(default_factory=dict)
    waiting: Dict[Step, str] = field(default_factory=dict)
    _numbers: Dict[Tuple[Path, str], str] = field(default_factory=dict)

    def submit(self, jobs: Sequence[Job]) -> None:
        """Submit the steps of jobs that are neither complete nor with Slurm already."""
        if self.lanes < 1:
            raise UsageError(f'--jobs {self.lanes}: accepted are 1 and more')
        queue = queued_jobs()
        if queue is None:
            raise UsageError('squeue does not answer: --launcher slurm needs a machine from which '
                             'jobs can be submitted')
        for number, job in enumerate(jobs):
            lane = f'{self.name}-{number % self.lanes + 1}'
            before = ''
            for step in steps_left(job):
                before = self._number(step, queue, lane, before)

    def _number(self, step: Step, queue: Dict[str, str], lane: str, before: str) -> str:
        """Return the number of a step's job, which is submitted where there is none."""
        key = (step.folder.path, step.name)
        if key in self._numbers:
            return self._numbers[key]
        number = (read_note(step) or {}).get('id')
        if number in queue:
            self.waiting[step] = number
        else:
            number = self._submit(step, lane, before)
            self.submitted[step] = number
        self._numbers[key] = number
        return number

    def _submit(self, step: Step, lane: str, before: str) -> str:
        prepare_folders(step)
        write_json(step_file(step), freeze(step, self.launcher))
        output = call(['sbatch', *self._options(step, lane, before), '--wrap', wrapped(step)])
        number = output.strip().split(';')[0]  # `number;cluster` where there are several clusters
        write_json(note_file(step), dict(id=number, config_hash=step.folder.identity))
        return number

    def _options(self, step: Step, lane: str, before: str) -> List[str]:
        """Return the options of sbatch, of which the cluster's own come from the environment."""
        tasks = max(self.launcher.gpus, 1)
        if isinstance(step, Derive):
            tasks = 1
        per_node = min(tasks, int(os.environ.get('GPUS_PER_NODE', 8)))
        depends = f'afterok:{before},singleton' if before else 'singleton'
        options = [
            '--parsable', '--job-name', lane, '--comment', f'{step.job.name}: {step.name}',
            '--output', str(slurm_log(step, '%j')), '--open-mode', 'append',
            '--chdir', str(self.launcher.root),
            '--dependency', depends, '--kill-on-invalid-dep', 'yes',
            '--requeue', '--signal', f'B:USR1@{NOTICE_S}',
            '--ntasks', str(tasks), '--ntasks-per-node', str(per_node),
            '--cpus-per-task', os.environ.get('CPUS_PER_TASK', '5')]
        if self.launcher.gpus:
            options += ['--gres', f'gpu:{per_node}']
        for variable, option in OPTIONS.items():
            if os.environ.get(variable):
                options += [option, os.environ[variable]]
        return options + shlex.split(os.environ.get('SBATCH_ARGS', ''))


def wrapped(step: Step) -> str:
    """Return the command of a batch job; ``exec``, because signals are sent to the shell."""
    command = [sys.executable, '-u', 'tools/slurm_step.py', str(step_file(step))]
    return f'exec {shlex.join(command)}'


def step_file(step: Step) -> Path:
    """Return the file that tells a batch job what to run."""
    return step.folder.path / f'{step.name}.slurm.json'


def note_file(step: Step) -> Path:
    """Return the file that names the batch job of a step."""
    return step.folder.path / f'{step.name}.submitted'


def slurm_log(step: Step, number: str) -> Path:
    """Return the file of what Slurm and ``tools/slurm_step.py`` say of a batch job.

    Slurm makes it when the job starts. The command of the step has a log of its own.
    """
    return step.folder.path / f'{step.name}.slurm-{number}.log'


def read_note(step: Step) -> Optional[dict]:
    """Read which batch job a step was given, unless its config was another one."""
    note = read_json(note_file(step))
    if note is None or note.get('config_hash') != step.folder.identity:
        return None
    return note


def freeze(step: Step, launcher: Launcher) -> dict:
    """Return what a batch job needs to know of its step."""
    kind = 'derive' if isinstance(step, Derive) else step.name
    return dict(step=kind, job=_freeze_job(step.job), root=str(launcher.root),
                gpus=launcher.gpus, on_error=launcher.on_error)


def _freeze_job(job: Job) -> dict:
    start = _freeze_job(job.start) if job.start else None
    return dict(method=job.method, variant=job.variant, seed=job.seed, splits=list(job.splits),
                folder=str(job.folder.path), identity=job.folder.identity,
                epochs=job.folder.epochs, weights=job.weights, start=start, tool=job.tool)


def thaw(content: dict) -> Tuple[Step, Launcher]:
    """Return the step of a batch job and its launcher; the opposite of :func:`freeze`."""
    step = STEPS[content['step']](_thaw_job(content['job']))
    launcher = Launcher(Path(content['root']), content['gpus'], 'slurm', content['on_error'])
    return step, launcher


def _thaw_job(content: dict) -> Job:
    folder = RunFolder(Path(content['folder']), content['identity'], content['epochs'])
    start = _thaw_job(content['start']) if content['start'] else None
    return Job(content['method'], content['variant'], content['seed'], tuple(content['splits']),
               folder, weights=content['weights'], start=start, tool=content['tool'])


def queued_jobs() -> Optional[Dict[str, str]]:
    """Return the state of each job of this user that Slurm has not finished with.

    Returns:
        dict: number -> ``PENDING``, ``RUNNING`` ...; ``None`` where squeue does not answer.
    """
    try:
        lines = call(['squeue', '--me', '--noheader', '--format', '%i %T']).splitlines()
    except UsageError:
        return None
    return dict(line.split() for line in lines)


def call(command: List[str]) -> str:
    """Run a command of Slurm and return its output.

    Raises:
        UsageError: it fails, or is not installed.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise UsageError(f'{command[0]} is not installed here: --launcher slurm needs a machine '
                         'from which jobs can be submitted') from None
    if done.returncode:
        reason = ' '.join(done.stderr.split())
        raise UsageError(f'{command[0]} failed: {reason}; partition, account and limits are read '
                         'from the environment, see docs/cluster.md')
    return done.stdout


@dataclass(frozen=True)
class State:
    """What has become of a job.

    Attributes:
        text: ``done``, ``running``, ``queued``, ``failed``, ``not run`` or ``not submitted``.
        step: the step that it is at; ``None`` for one that is done.
        number: of the step's batch job; ``''``: none.
    """
    text: str
    step: Optional[Step] = None
    number: str = ''


def job_state(job: Job, queue: Optional[Dict[str, str]]) -> State:
    """Tell the state of a job by its own markers, and else by what Slurm says.

    Args:
        job: the job.
        queue: from :func:`queued_jobs`.
    """
    step = next(steps_left(job), None)
    if step is None:
        return State('done')
    note = read_note(step)
    if note is None:
        return State('not submitted', step)
    number = note['id']
    if queue is None:
        return State('unknown: squeue does not answer', step, number)
    if number in queue:
        waits = queue[number] in ('PENDING', 'REQUEUED', 'REQUEUE_HOLD', 'SPECIAL_EXIT')
        return State('queued' if waits else 'running', step, number)
    started = slurm_log(step, number).is_file()
    return State('failed' if started else 'not run', step, number)
