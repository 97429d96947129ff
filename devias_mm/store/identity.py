"""What makes two jobs the same: the resolved config, free of anything about a machine."""
import hashlib
import json
import os
from pathlib import Path
from typing import Any, Dict, Optional

from mmengine.config import Config

from devias_mm.files import file_sha256

# of a whole config: where output goes and how it is logged or launched
_MACHINE_ENTRIES = ('work_dir', 'launcher', 'resume', 'log_level', 'log_processor', 'visualizer',
                    'vis_backends', 'env_cfg', 'model_wrapper_cfg')
# anywhere: how fast a loader is, not what it loads
_LOADER_SETTINGS = ('num_workers', 'persistent_workers', 'pin_memory', 'prefetch_factor')


def config_identity(cfg: Config, root: Path, manifest: Optional[Path] = None,
                    processes: int = 1) -> str:
    """Hash of a resolved config that is equal in every clone and on every machine.

    Output folders, launcher, log and loader settings and the seed (which names
    the run folder) are left out. Paths inside the repository count relative to
    it; the data folder, wherever it is, counts as the checksum of its
    manifest; of other folders only the last name counts.

    Args:
        cfg: the resolved config, overrides applied; it is not changed.
        root: the repository's root, which relative paths refer to.
        manifest: file that describes the data; its folder is the data folder.
        processes: of a training; more than one multiply the batch, which makes it another
            recipe.

    Returns:
        str: 64 hexadecimal digits.
    """
    content = cfg.to_dict()
    for entry in _MACHINE_ENTRIES:
        content.pop(entry, None)
    content.get('default_hooks', {}).pop('logger', None)
    content.get('randomness', {}).pop('seed', None)
    root = Path(root).absolute()
    folders = {str(root): ''}
    for folder in _values_of(content, 'data_root'):
        if folder:
            folders[_absolute(folder, root)] = f'<{Path(folder).name}>'
    if manifest is not None:
        folders[_absolute(str(Path(manifest).parent), root)] = '<data>'
    content = {'config': _portable(content, root, folders),
               'data': file_sha256(root / manifest) if manifest is not None else None}
    if processes > 1:
        content['processes'] = processes
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _portable(value: Any, root: Path, folders: Dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {str(key): _portable(item, root, folders) for key, item in value.items()
                if key not in _LOADER_SETTINGS}
    if isinstance(value, (list, tuple)):
        return [_portable(item, root, folders) for item in value]
    if isinstance(value, (str, os.PathLike)):
        return _portable_path(os.fspath(value), root, folders)
    return value


def _portable_path(text: str, root: Path, folders: Dict[str, str]) -> str:
    if '/' not in text and text not in folders or '://' in text:
        return text
    path = _absolute(text, root)
    # the longest folder first: the data folder usually lies in the repository
    for folder in sorted(folders, key=len, reverse=True):
        if path == folder or path.startswith(folder + os.sep):
            return folders[folder] + path[len(folder):]
    return os.path.basename(path) if os.path.isabs(text) else text


def _absolute(path: str, root: Path) -> str:
    return os.path.normpath(os.path.join(root, path))


def _values_of(content: Any, key: str):
    if isinstance(content, dict):
        for name, item in content.items():
            if name == key and isinstance(item, str):
                yield item
            else:
                yield from _values_of(item, key)
    elif isinstance(content, (list, tuple)):
        for item in content:
            yield from _values_of(item, key)
