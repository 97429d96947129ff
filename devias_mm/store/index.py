"""The index of a suite: which run folder belongs to which method, variant and seed.

``<out>/<suite>/index.json`` is written by ``tools/benchmark.py run`` and read by everything that
makes tables and figures, which then needs no config and no model. Run folders are shared between
suites; an index belongs to one.
"""
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Dict, List, Mapping, Sequence, Tuple

from devias_mm.errors import SuiteError
from devias_mm.files import file_sha256, read_json, write_json
from devias_mm.store.lock import folder_lock
from devias_mm.store.run_folder import RunFolder

FILE_NAME = 'index.json'


@dataclass(frozen=True)
class IndexEntry:
    """One cell of a suite, as it was planned last.

    Attributes:
        method, variant, seed: the cell; ``variant`` is ``''`` in a suite without variants.
        identity: hash of the resolved config.
        folder: run folder, relative to the folder of the index.
        sources: files that the recipe was read from, relative to the repository's root or
            absolute, each with its SHA-256.
    """
    method: str
    variant: str
    seed: int
    identity: str
    folder: str
    sources: Mapping[str, str]

    @property
    def row(self) -> Tuple[str, str]:
        """The row of the table."""
        return self.method, self.variant


def read_index(folder: Path) -> List[IndexEntry]:
    """Read the index of a suite's folder; without one it is empty.

    Raises:
        SuiteError: the file has another form.
    """
    path = Path(folder) / FILE_NAME
    content = read_json(path) or dict(runs=[])
    try:
        return [IndexEntry(**entry) for entry in content['runs']]
    except (KeyError, TypeError) as error:
        raise SuiteError(f'{path} is not an index of runs ({error}): delete it and start '
                         '`tools/benchmark.py run` again, which repeats no finished run') from None


def update_index(folder: Path, entries: Sequence[IndexEntry]) -> None:
    """Add entries to the index of a suite's folder.

    An entry replaces the earlier one of its cell. The other seeds of its row stay only if they
    are runs of the same recipe: runs of different identities never make one row.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    identities: Dict[Tuple[str, str], str] = {entry.row: entry.identity for entry in entries}
    with folder_lock(folder):
        merged = {}
        for entry in [*read_index(folder), *entries]:
            if identities.get(entry.row, entry.identity) == entry.identity:
                merged[(*entry.row, entry.seed)] = entry
        runs = [asdict(entry) for entry in merged.values()]
        write_json(folder / FILE_NAME, dict(runs=runs))


def run_folder(folder: Path, entry: IndexEntry) -> RunFolder:
    """Return the run folder of an entry of the index in ``folder``."""
    return RunFolder(Path(os.path.normpath(Path(folder) / entry.folder)), entry.identity)


def checksums(files: Sequence[Path], root: Path) -> Dict[str, str]:
    """Return the SHA-256 of files by their names, relative to ``root`` where they are in it."""
    return {_name_of(path, root): file_sha256(path) for path in files}


def changed_sources(entries: Sequence[IndexEntry], root: Path) -> Dict[str, List[str]]:
    """Find the files that have changed since the index was written.

    Returns:
        dict: file name -> the methods that were planned by its earlier content.
    """
    present: Dict[str, str] = {}
    changed: Dict[str, List[str]] = {}
    for entry in entries:
        for name, checksum in entry.sources.items():
            if name not in present:
                present[name] = _checksum_or_nothing(Path(root) / name)
            methods = changed.setdefault(name, [])
            if present[name] != checksum and entry.method not in methods:
                methods.append(entry.method)
    return {name: methods for name, methods in changed.items() if methods}


def _checksum_or_nothing(path: Path) -> str:
    if not path.is_file():
        return ''
    return file_sha256(path)


def _name_of(path: Path, root: Path) -> str:
    path, root = Path(path).absolute(), Path(root).absolute()
    if path.is_relative_to(root):
        return path.relative_to(root).as_posix()
    return str(path)
