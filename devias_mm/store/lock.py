"""Locks on folders that several processes may write into."""
import fcntl
import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator


def _do_nothing() -> None:
    pass


@contextmanager
def folder_lock(folder: Path, poll: Callable[[], None] = _do_nothing) -> Iterator[int]:
    """Hold a folder alone; wait while another process holds it.

    A command that inherits the lock keeps it: if the harness is killed outright and leaves a
    training behind, the next start waits for that training instead of starting a second one in
    the same folder.

    Args:
        folder: an existing folder.
        poll: called now and then while waiting.

    Yields:
        int: the descriptor of the lock, to pass on to a command.
    """
    descriptor = os.open(folder / '.lock', os.O_RDWR | os.O_CREAT, 0o666)
    try:
        while not _try_to_lock(descriptor):
            poll()
            time.sleep(0.5)
        yield descriptor
    finally:
        os.close(descriptor)


def _try_to_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
