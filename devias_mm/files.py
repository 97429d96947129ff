"""Small files that must never be half written, and names that must not lead out of a folder."""
import hashlib
import json
import os
import shutil
import tempfile
import unicodedata
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, Optional, Union

from devias_mm.errors import UserError

#: how the names of files begin that are being written
TEMPORARY_PREFIX = '.partial-'
_LONGEST_NAME = 255  # bytes of a file name, on the usual file systems


def _usual_mode(mode: int) -> int:
    """Return what is left of a file mode by the umask, which ``tempfile`` does not heed."""
    umask = os.umask(0)
    os.umask(umask)
    return mode & ~umask



@contextmanager
def atomic_path(path: Union[str, Path]) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that replaces it when the block succeeds.

    The temporary file exists, is empty and has the suffix of ``path``, because writers choose
    the format by it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=TEMPORARY_PREFIX, suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(_usual_mode(0o666))
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Union[str, Path]) -> Iterator[Path]:
    """Yield an empty folder beside ``path`` that replaces it when the block succeeds."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX, dir=path.parent))
    try:
        yield temporary
        temporary.chmod(_usual_mode(0o777))
        remove(path)
        os.replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def remove(path: Path) -> None:
    """Remove a file, a folder with all that it holds, or a link (not what it leads to)."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_bytes(path: Union[str, Path], content: bytes) -> str:
    """Write a file atomically and return its SHA-256 in hexadecimal."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def write_text(path: Union[str, Path], text: str) -> str:
    """Write a text file atomically and return its SHA-256 in hexadecimal."""
    return write_bytes(path, text.encode())


def write_json(path: Path, content: Dict[str, Any]) -> None:
    """Write a JSON file atomically."""
    write_text(path, json.dumps(content, indent=2, sort_keys=True) + '\n')


def read_json(path: Path) -> Optional[Dict[str, Any]]:
    """Read a JSON file; ``None`` where it does not exist.

    Raises:
        UserError: the file is not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding='utf-8'))
    except FileNotFoundError:
        return None
    except ValueError as error:  # neither JSON nor UTF-8
        raise UserError(f'{path} is not valid JSON ({error}): delete it and run again') from None


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def check_name(name: str, outside: bool = False) -> str:
    """Check that a name from a list stays in the folder that it is joined to.

    The check looks at the text alone: symbolic links in a data folder may lead anywhere.

    Args:
        name: a relative path. ``a/../b`` is accepted, ``../b`` and ``a/../../b`` are not.
        outside: whether the name may be absolute or lead out after all.

    Returns:
        str: the name, unchanged.

    Raises:
        UserError: the name is empty, absolute, leads out of its folder or holds a control
            character.

    Example::

        >>> check_name('Basketball/v_Basketball_g01_c01.avi')
        'Basketball/v_Basketball_g01_c01.avi'
        >>> check_name('../secret')
        Traceback (most recent call last):
        devias_mm.errors.UserError: the name '../secret' leads out of its folder; accepted: ...
    """
    normal = os.path.normpath(name)
    accepted = 'accepted: a relative path without a `..` that leads out'
    if any(unicodedata.category(character) == 'Cc' for character in name):
        raise UserError(f'the name {name!r} holds a control character; {accepted}')
    if not name.strip() or normal == os.curdir:
        raise UserError(f'the name {name!r} names no file; {accepted}')
    if outside:
        return name
    if os.path.isabs(name):
        raise UserError(f'the name {name!r} is absolute; {accepted}')
    if normal.split(os.sep)[0] == os.pardir:
        raise UserError(f'the name {name!r} leads out of its folder; {accepted}')
    return name


def inside(root: Path, name: str) -> Path:
    """Return the path of a name in a folder, see :func:`check_name`.

    Raises:
        UserError: the name leads out of the folder, or is none.
    """
    return Path(root) / check_name(name)


def output_path(root: Path, name: str) -> Path:
    """Return the path of an output in a folder that nothing may be written outside of.

    Unlike :func:`inside`, it follows symbolic links: what is written, replaced or removed is
    below ``root``, whatever links lie there.

    Raises:
        UserError: the name leads out of the folder, by its text or by a link, is the folder
            itself, or is too long for a file system.
    """
    path = inside(root, name)
    try:
        real, real_root = path.resolve(), Path(root).resolve()
    except (OSError, RuntimeError) as error:  # a loop of links, or a name that is too long
        reason = getattr(error, 'strerror', None) or error
        raise UserError(f'{name!r} cannot be written below {root}: {reason}.') from None
    if real == real_root or real_root not in real.parents:
        raise UserError(f'{root}/{name} leads to {real}, which is outside of {root}: nothing is '
                        'written or removed there. Remove the link, or choose another --out.')
    longest = max(name.split('/'), key=len)
    if len(longest.encode()) > _LONGEST_NAME:
        raise UserError(f'the name {longest[:40]!r}... has {len(longest.encode())} bytes; '
                        f'accepted: at most {_LONGEST_NAME}.')
    return path
