"""The commands of jobs, run as subprocesses: a kill at any moment loses at most an epoch."""
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, List

from devias_mm.cli import LAUNCHERS
from devias_mm.errors import UsageError
from devias_mm.harness.slots import Slot
from devias_mm.harness.steps import Derive, Step, Train
from devias_mm.harness.subprocesses import run_command


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
        slot: the share of the machine that the commands are kept to.
    """
    root: Path
    gpus: int = 1
    name: str = 'none'
    on_error: str = 'count-wrong'
    slot: Slot = Slot()

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
        env.pop('TASKS', None)  # several processes are another recipe, see `plan_jobs`
        env.setdefault('OMP_NUM_THREADS', '1')
        env.update(self.slot.environment())
        if self.gpus == 0:
            env['CUDA_VISIBLE_DEVICES'] = ''
        return env

    def __call__(self, step: Step, command: List[str], poll: Callable[[], None]) -> int:
        """Run the command of a step in the slot; return its exit code."""
        self.slot.pin()
        return run_command(command, step.folder.path, step.log, self.root, self.environment(),
                           poll)
