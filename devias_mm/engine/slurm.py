"""The port at which the processes of a Slurm job meet."""
import os
from typing import MutableMapping

FIRST_PORT = 20000
NUM_PORTS = 20000  # up to 40000: beyond are the ports that Linux hands out by itself


def choose_port(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set MASTER_PORT by the numbers of the job and its step, unless it is set.

    MMEngine's default is 29500 for every job, and two jobs on one machine would collide. All
    processes of a step know its numbers and choose the same port.
    """
    if 'MASTER_PORT' in environment:
        return
    job = int(environment.get('SLURM_JOB_ID', 0))
    step = int(environment.get('SLURM_STEP_ID', 0))
    # a prime factor keeps the steps of a job apart from the jobs that follow it
    environment['MASTER_PORT'] = str(FIRST_PORT + (job + 7919 * step) % NUM_PORTS)
