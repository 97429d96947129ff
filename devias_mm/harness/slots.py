"""Shares of a machine for jobs that run side by side."""
import os
from dataclasses import dataclass
from typing import Dict, List, Sequence, Tuple

from devias_mm.errors import UsageError


@dataclass(frozen=True)
class Slot:
    """What one job may use.

    Attributes:
        gpus: identifiers for CUDA_VISIBLE_DEVICES; empty: whatever is visible.
        cores: numbers of processor cores; empty: all.
    """
    gpus: Tuple[str, ...] = ()
    cores: Tuple[int, ...] = ()

    def environment(self) -> Dict[str, str]:
        """Return the variables that keep a command to the GPUs of the slot."""
        if not self.gpus:
            return {}
        return {'CUDA_VISIBLE_DEVICES': ','.join(self.gpus)}

    def pin(self) -> None:
        """Keep this thread, and the processes that it starts from now on, to the slot's cores."""
        if self.cores:
            os.sched_setaffinity(0, self.cores)  # 0: the calling thread


def make_slots(jobs: int, gpus_per_job: int) -> List[Slot]:
    """Divide this machine among jobs.

    A single job has the whole machine. Several get GPUs of their own or, on the CPU, cores of
    their own. The number of threads is the same in either case: another one would round
    differently, and the tables would depend on ``--jobs``.

    Args:
        jobs: that run at a time.
        gpus_per_job: GPUs of a job; 0: the CPU.

    Raises:
        UsageError: the machine has fewer GPUs than the jobs need.

    Example::

        >>> make_slots(2, gpus_per_job=1)
        [Slot(gpus=('0',), cores=()), Slot(gpus=('1',), cores=())]
    """
    if jobs < 1:
        raise UsageError(f'--jobs {jobs}: accepted are 1 and more')
    if jobs == 1:
        return [Slot()]
    gpus = visible_gpus() if gpus_per_job else []
    if gpus:
        return _gpu_slots(jobs, gpus_per_job, gpus)
    return _core_slots(jobs, available_cores())


def _gpu_slots(jobs: int, gpus_per_job: int, gpus: Sequence[str]) -> List[Slot]:
    if jobs * gpus_per_job > len(gpus):
        at_most = len(gpus) // gpus_per_job
        remedy = f'use at most --jobs {at_most}' if at_most else 'use fewer GPUs for a job'
        raise UsageError(f'--jobs {jobs} with --gpus {gpus_per_job} needs {jobs * gpus_per_job} '
                         f'GPUs, and there are {len(gpus)}: {remedy}')
    slots = []
    for number in range(jobs):
        first = number * gpus_per_job
        slots.append(Slot(gpus=tuple(gpus[first:first + gpus_per_job])))
    return slots


def _core_slots(jobs: int, cores: Sequence[int]) -> List[Slot]:
    """Divide cores; where there are fewer than jobs, some jobs share one."""
    slots = []
    for number in range(jobs):
        first = number * len(cores) // jobs
        end = max((number + 1) * len(cores) // jobs, first + 1)
        slots.append(Slot(cores=tuple(cores[first:end])))
    return slots


def visible_gpus() -> List[str]:
    """List the GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    named = os.environ.get('CUDA_VISIBLE_DEVICES')
    if named is not None:
        names = [name.strip() for name in named.split(',')]
        return [name for name in names if name and name != '-1']
    import torch
    return [str(number) for number in range(torch.cuda.device_count())]


def available_cores() -> List[int]:
    """List the cores that this process may use; none where the system cannot pin processes."""
    if not hasattr(os, 'sched_getaffinity'):  # macOS
        return []
    return sorted(os.sched_getaffinity(0))
