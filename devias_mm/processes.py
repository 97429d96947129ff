"""Work that is spread over processes and does not depend on their number."""
import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Callable, Iterator, Sequence

import cv2


def _start_worker(parent: int, method: str) -> None:
    if method != 'fork':
        cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle

    def leave_with_parent() -> None:
        # a killed parent cannot tell its workers, which would wait for work for ever
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=leave_with_parent, daemon=True).start()


def map_in_processes(function: Callable, jobs: Sequence, workers: int) -> Iterator:
    """Apply a function to all jobs; OpenCV has one thread meanwhile.

    Args:
        function (callable): importable, for it runs in other processes.
        jobs (Sequence): its arguments.
        workers (int): processes; 1: this one.

    Yields:
        The results, in the order of the jobs.
    """
    # set here and not in the workers: OpenCV's threads do not survive a fork, and a worker that
    # changes their number waits for them for ever
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        if workers == 1:
            yield from map(function, jobs)
            return
        # a forked worker starts at once; a spawned one imports the whole stack first
        method = 'fork' if 'fork' in multiprocessing.get_all_start_methods() else 'spawn'
        with ProcessPoolExecutor(workers, multiprocessing.get_context(method), _start_worker,
                                 (os.getpid(), method)) as pool:
            yield from pool.map(function, jobs, chunksize=4)
    finally:
        cv2.setNumThreads(threads)
