"""Commands that end when the harness ends."""
import os
import shlex
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Dict, Iterator, List

from devias_mm.store.lock import folder_lock


def run_command(command: List[str], folder: Path, log: Path, root: Path,
                environment: Dict[str, str], poll: Callable[[], None]) -> int:
    """Run a command that writes into a folder, with its output in a log file.

    The command holds the folder's lock. It ends when this process is told to end, and also when
    this process is killed outright: the next start waits until the lock is free.

    Args:
        command: the command.
        folder: held alone while it runs.
        log: its output is appended here.
        root: where it runs.
        environment: its environment variables.
        poll: called now and then while it runs.

    Returns:
        int: exit code.
    """
    with folder_lock(folder, poll) as lock, open(log, 'a', encoding='utf-8') as output:
        output.write(f'$ {shlex.join(command)}\n')
        output.flush()
        process = subprocess.Popen(
            command, cwd=root, env=environment, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True, pass_fds=(lock, ))
        watcher = start_watcher(process.pid)
        try:
            while process.poll() is None:
                poll()
                time.sleep(0.2)
        finally:
            end_process_group(process)
            watcher.communicate(b'ended\n')
    return process.returncode


# `read` fails at the end of the input, which comes when the harness is gone
WATCH = """
read -r word && exit
kill -TERM -- "-$1"
for second in 1 2 3 4 5 6 7 8 9 10; do
    sleep 1
    kill -0 -- "-$1" || exit
done
kill -KILL -- "-$1"
"""


def start_watcher(group: int) -> subprocess.Popen:
    """Start a process that ends a process group if this process dies before it writes a line.

    A kill -9 cannot be caught, but it closes the pipe.
    """
    return subprocess.Popen(
        ['bash', '-c', WATCH, 'watcher', str(group)], stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def end_process_group(process: subprocess.Popen, patience: float = 10.0) -> None:
    """Stop a command and the processes that it started (workers, ranks)."""
    for sign, wait in ((signal.SIGTERM, patience), (signal.SIGKILL, None)):
        if process.poll() is not None:
            return
        os.killpg(process.pid, sign)
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            continue


@contextmanager
def termination_as_interrupt() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into ``SystemExit``, so that running commands are ended.

    A signal that is ignored, as ``nohup`` arranges, stays ignored.
    """
    def leave(number, frame):
        raise SystemExit(128 + number)

    previous = {}
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            previous[number] = signal.signal(number, leave)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
