"""What makes two runs the same: the resolved config, without what depends on the machine."""
import hashlib
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Iterator

from devias_mm.files import file_sha256

if TYPE_CHECKING:  # MMEngine imports torch, which a table does not need
    from mmengine.config import Config

#: top folder of the repository, which relative paths in configs start from
ROOT = Path(__file__).resolve().parents[2]

#: entries of a config that are not part of a run's identity; `*.` means at any depth
LEFT_OUT = (
    # where the output goes, how it is logged, and how the processes are launched
    'work_dir', 'launcher', 'resume', 'log_level', 'log_processor', 'visualizer', 'vis_backends',
    'env_cfg', 'model_wrapper_cfg', 'default_hooks.logger',
    # how fast a loader is, not what it loads
    '*.num_workers', '*.persistent_workers', '*.pin_memory', '*.prefetch_factor',
    # the seed names the run folder: the seeds of a row have one identity
    'randomness.seed',
    # which splits a test reads, and what it does with a video that it cannot read
    'test_cfg.selected', 'test_cfg.on_error',
)

# a path into another run's folder: <seed>-<first digits of its identity>/<rest>
_RUN_PATH = re.compile(r'.*/seed\d+-(?P<identity>[0-9a-f]{8})/(?P<rest>.+)')


def config_identity(cfg: 'Config', root: Path = ROOT) -> str:
    """Hash a resolved config; the hash is equal in every clone and on every machine.

    It is what `run.json`, the markers of a run and the name of its folder hold. Entries of
    :data:`LEFT_OUT` do not count. Paths inside the repository count relative to it, a folder of
    data by its last name only, and a path into another run's folder by the identity of that run.

    Args:
        cfg: the resolved config; it is not changed.
        root: the repository's root, which relative paths start from.

    Returns:
        str: 64 hexadecimal digits.
    """
    content = cfg.to_dict()
    for entry in LEFT_OUT:
        _remove(content, entry)
    paths = _PortablePaths(content, Path(root).absolute())
    text = json.dumps(paths.replace_in(content), sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()


def data_checksum(manifest: Path) -> str:
    """Return what identifies a data set: the SHA-256 of the file that describes it."""
    return file_sha256(manifest)


def _remove(content: Dict[str, Any], entry: str) -> None:
    if entry.startswith('*.'):
        for node in _dicts(content):
            node.pop(entry[2:], None)
        return
    *parents, name = entry.split('.')
    node: Any = content
    for parent in parents:
        node = node.get(parent)
        if not isinstance(node, dict):
            return
    node.pop(name, None)
    if parents and not node:
        _remove(content, '.'.join(parents))  # an empty entry says as much as none


class _PortablePaths:
    """Replace paths by what they mean in any clone.

    Args:
        content: the config, whose `data_root` entries are the folders of data.
        root: the repository's root.
    """

    def __init__(self, content: Dict[str, Any], root: Path):
        self.root = root
        folders = {str(root): ''}
        for node in _dicts(content):
            folder = node.get('data_root')
            if isinstance(folder, str) and folder:
                folders[self._absolute(folder)] = f'<{Path(folder).name}>'
        # the longest first: a folder of data usually is inside the repository
        self.folders = dict(sorted(folders.items(), key=lambda item: -len(item[0])))

    def replace_in(self, value: Any) -> Any:
        """Return a copy of nested values with portable paths."""
        if isinstance(value, dict):
            return {str(key): self.replace_in(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.replace_in(item) for item in value]
        if isinstance(value, (str, os.PathLike)):
            return self._portable(os.fspath(value))
        return value

    def _portable(self, text: str) -> str:
        run_path = _RUN_PATH.fullmatch(text)
        if run_path:
            return f'<run {run_path["identity"]}>/{run_path["rest"]}'
        is_url = '://' in text
        is_path = '/' in text or text in self.folders
        if is_url or not is_path:
            return text
        path = self._absolute(text)
        for folder, name in self.folders.items():
            if path == folder or path.startswith(folder + os.sep):
                return name + path[len(folder):]
        if os.path.isabs(text):
            return os.path.basename(path)
        return text

    def _absolute(self, path: str) -> str:
        return os.path.normpath(os.path.join(self.root, path))


def _dicts(node: Any) -> Iterator[Dict[str, Any]]:
    """Yield all dicts in nested dicts and lists, the outer ones first."""
    if isinstance(node, dict):
        yield node
        children = list(node.values())
    elif isinstance(node, (list, tuple)):
        children = list(node)
    else:
        return
    for child in children:
        yield from _dicts(child)
