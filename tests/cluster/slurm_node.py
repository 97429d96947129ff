"""A real Slurm of one node, in a temporary folder, on the loopback address.

    python tests/cluster/slurm_node.py squeue      # start a node, run a command on it, stop it

Needs Debian's packages `slurm-wlm` and `munge` (`apt-get install slurm-wlm munge`) and the rights
to start them (root). Nothing outside the folder is touched, and no other machine is asked.
"""
import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Dict, Iterator, List, Optional

PROGRAMS = ('munged', 'slurmctld', 'slurmd', 'srun', 'sbatch', 'squeue', 'scancel', 'scontrol')
PARTITION = 'loopback'
CONFIG = """\
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
# a requeued job waits until its credential is void, two minutes by default
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
# no cgroups: they are not to be had in every container
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
# the node may claim more processors than the machine has
SlurmdParameters=config_overrides
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0
ReturnToService=2
JobRequeue=1
KillWait=5
MinJobAge=300
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} State=UNKNOWN
PartitionName={partition} Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing_reason() -> Optional[str]:
    """Return why a node cannot be started here, or ``None``."""
    for program in PROGRAMS:
        if _find(program) is None:
            return f'{program} is not installed (Debian: apt-get install slurm-wlm munge)'
    if os.geteuid() != 0:
        return 'starting slurmd needs root'
    return None


@contextlib.contextmanager
def slurm_node(cpus: int = 4) -> Iterator[Dict[str, str]]:
    """Start a node and stop it, with its jobs, at the end.

    Args:
        cpus: that Slurm may hand out; they need not exist.

    Yields:
        dict: the environment that its commands need.

    Raises:
        RuntimeError: the node does not come up; the ends of its logs are in the message.
    """
    folder = Path(tempfile.mkdtemp(prefix='slurm-node-'))
    folder.chmod(0o755)  # munged refuses a socket that others cannot reach
    daemons: List[subprocess.Popen] = []
    environment = dict(os.environ, SLURM_CONF=str(folder / 'slurm.conf'))
    try:
        _write_config(folder, cpus)
        daemons.append(_start_munge(folder))
        for program in ('slurmctld', 'slurmd'):
            with open(folder / f'{program}.out', 'w') as output:
                daemons.append(subprocess.Popen(
                    [_find(program), '-D', '-f', str(folder / 'slurm.conf')], env=environment,
                    stdout=output, stderr=subprocess.STDOUT))
        _wait_until_idle(folder, environment, daemons)
        yield environment
    finally:
        subprocess.run([_find('scancel'), '-u', getpass.getuser()], env=environment, timeout=20,
                       check=False, capture_output=True)
        _stop(daemons)
        shutil.rmtree(folder, ignore_errors=True)


def _find(program: str) -> Optional[str]:
    """Return the path of a program; Debian keeps the daemons in /usr/sbin."""
    return shutil.which(program) or shutil.which(program, path='/usr/sbin:/usr/local/sbin')


def _write_config(folder: Path, cpus: int) -> None:
    for name in ('state', 'spool'):
        (folder / name).mkdir()
    text = CONFIG.format(
        folder=folder, host=socket.gethostname().split('.')[0], user=getpass.getuser(),
        controller_port=_free_port(), node_port=_free_port(), cpus=cpus, memory=1024,
        partition=PARTITION)
    (folder / 'slurm.conf').write_text(text)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return listener.getsockname()[1]


def _start_munge(folder: Path) -> subprocess.Popen:
    key = folder / 'munge.key'
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    process = subprocess.Popen(
        [_find('munged'), '--foreground', '--force', f'--key-file={key}',
         f'--socket={folder}/munge.socket', f'--pid-file={folder}/munge.pid',
         f'--log-file={folder}/munge.log', f'--seed-file={folder}/munge.seed'],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while not (folder / 'munge.socket').exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f'munged does not start:\n{_log_ends(folder)}')
        time.sleep(0.1)
    return process


def _wait_until_idle(folder: Path, environment: Dict[str, str],
                     daemons: List[subprocess.Popen]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if any(daemon.poll() is not None for daemon in daemons):
            break
        state = subprocess.run([_find('sinfo'), '-h', '-o', '%T'], env=environment, text=True,
                               capture_output=True, check=False).stdout.split()
        if state == ['idle']:
            return
        time.sleep(0.5)
    raise RuntimeError(f'Slurm does not come up:\n{_log_ends(folder)}')


def _log_ends(folder: Path) -> str:
    ends = []
    for log in sorted([*folder.glob('*.log'), *folder.glob('*.out')]):
        ends.append(f'--- {log.name}\n' + '\n'.join(log.read_text().splitlines()[-8:]))
    return '\n'.join(ends)


def _stop(daemons: List[subprocess.Popen]) -> None:
    for daemon in reversed(daemons):  # munge last: the others still need it
        daemon.terminate()
        try:
            daemon.wait(10)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()


if __name__ == '__main__':
    reason = missing_reason()
    if reason is not None:
        sys.exit(f'error: {reason}')
    with slurm_node() as node_environment:
        sys.exit(subprocess.run(sys.argv[1:] or ['sinfo'], env=node_environment).returncode)
