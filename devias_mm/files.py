"""Small files that must never be half written, and names that must not lead out of a folder."""
import hashlib
import json
import os
import tempfile
import unicodedata
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, Optional

from devias_mm.errors import UserError


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that replaces it when the block succeeds."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # the suffix stays, because writers choose the format by it
    handle, name = tempfile.mkstemp(prefix='.', suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        os.replace(temporary, path)
    finally:
        temporary.unlink() if temporary.exists() else None


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding='utf-8')


def write_json(path: Path, content: Dict[str, Any]) -> None:
    """Write a JSON file atomically."""
    write_text(path, json.dumps(content, indent=2, sort_keys=True) + '\n')


def read_json(path: Path) -> Optional[Dict[str, Any]]:
    """Read a JSON file; ``None`` where it does not exist.

    Raises:
        ValueError: the file is not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding='utf-8'))
    except FileNotFoundError:
        return None
    except json.JSONDecodeError as error:
        raise ValueError(f'{path} is not valid JSON ({error}): delete it and run again') from None


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        for block in iter(lambda: file.read(1 << 20), b''):
            digest.update(block)
    return digest.hexdigest()


def check_name(name: str) -> str:
    """Check that a name from a list stays in the folder that it is joined to.

    The check looks at the text alone: symbolic links in a data folder may lead anywhere.

    Args:
        name: a relative path. ``a/../b`` is accepted, ``../b`` and ``a/../../b`` are not.

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
