"""What the video decoders have to say about a file.

FFmpeg hides damage: it fills broken macroblocks from their neighbours, returns
the frame as if nothing had happened and complains on file descriptor 2. Neither
decord nor OpenCV passes the complaint on, so it is read from there.
"""
import contextlib
import functools
import os
import re
import tempfile
from typing import IO, Iterator, List

# FFmpeg's and libjpeg's words for data that they could not decode and made up
DAMAGE = re.compile(r'error at mb|error while decoding mb|damaged at|corrupt jpeg data|'
                    r'premature end of jpeg', re.IGNORECASE)


@functools.lru_cache(maxsize=1)
def _log_file(pid: int) -> IO[bytes]:
    """Return a nameless file of this process; a forked worker opens its own."""
    return tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the process)


@contextlib.contextmanager
def capture_decoder_log(lines: List[str]) -> Iterator[None]:
    """Collect what is meanwhile written to file descriptor 2 into ``lines``.

    Costs some microseconds. Nothing of it is printed. A process without a
    standard error is left alone.
    """
    try:
        stderr = os.dup(2)
    except OSError:
        yield
        return
    log = _log_file(os.getpid()).fileno()
    os.dup2(log, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        size = os.lseek(log, 0, os.SEEK_CUR)
        if size:
            os.lseek(log, 0, os.SEEK_SET)
            lines.extend(os.read(log, size).decode(errors='replace').splitlines())
            os.lseek(log, 0, os.SEEK_SET)
            os.ftruncate(log, 0)


def find_damage(lines: List[str]) -> str:
    """Return the first line that tells of damaged data, or ``''``."""
    return next((line.strip() for line in lines if DAMAGE.search(line)), '')
