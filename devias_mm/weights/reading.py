"""The one reader of checkpoints: it runs no code of theirs, wherever they come from.

:func:`devias_mm.compat.restrict_checkpoint_loading` makes MMEngine use it, too.
"""
import os.path as osp
import re
import zipfile
from collections import OrderedDict
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Dict, Iterator, List, Sequence

import torch

from devias_mm import compat
from devias_mm.errors import CheckpointError, UsageError
from devias_mm.weights.download import local_file

compat.allow_runner_checkpoints()


def load_checkpoint_file(path: str, map_location: Any = 'cpu') -> dict:
    """Read a checkpoint without running code from it.

    Args:
        path: a file (``.pth`` and the like, or ``.safetensors``), a URL or a model of a zoo; see
            :func:`~devias_mm.weights.download.local_file`.
        map_location: where the tensors go, as in :func:`torch.load`.

    Returns:
        dict: the checkpoint; ``['state_dict']`` holds the weights, without the
        prefix ``module.``.

    Raises:
        CheckpointError: there is no such file, it is damaged or no checkpoint, or it holds
            objects of classes that are not allow-listed.

    Example::

        checkpoint = load_checkpoint_file('work_dirs/two-token/epoch_100.pth')
    """
    file = local_file(path)
    if not osp.isfile(file):
        raise CheckpointError(f'checkpoint not found: {path}. Give the path of a .pth file, '
                              'such as <work_dir>/epoch_<n>.pth.')
    if Path(file).suffix == '.safetensors':
        checkpoint = _read_safetensors(file, path)
    else:
        _check_archive(file, path)
        checkpoint = _read_pickle(file, path, map_location)
    if not isinstance(checkpoint, dict):
        raise CheckpointError(f'{path} holds a {type(checkpoint).__name__}, not a checkpoint.')
    if not isinstance(checkpoint.get('state_dict'), dict):
        if 'state_dict' in checkpoint:
            raise CheckpointError(f'{path}: its `state_dict` is no dict of weights.')
        checkpoint = dict(state_dict=checkpoint)
    if path.startswith('mmcls://'):
        checkpoint = dict(state_dict=_backbone_of(checkpoint['state_dict']))
    checkpoint['state_dict'] = _without_wrapper(checkpoint['state_dict'])
    return checkpoint


def _read_pickle(file: str, path: str, map_location: Any) -> Any:
    try:
        return torch.load(file, map_location=map_location, weights_only=True)
    except Exception as error:  # torch raises nearly anything on a broken file
        refused = refused_classes(file)
        if isinstance(error, UnpicklingError) and refused:
            names = ' '.join(refused)
            raise CheckpointError(
                f'cannot load checkpoint {path}: it holds objects of classes that could run code '
                f'when they are loaded: {", ".join(refused)}. Take its weights out without them: '
                f'tools/data/convert_checkpoint.py with --ignore-classes {names}.') from error
        raise CheckpointError(f'cannot load checkpoint {path}: it is truncated or not a '
                              f'checkpoint ({_reason(error)}). Take another one, or train again '
                              'with --resume.') from error


def _check_archive(file: str, path: str) -> None:
    """Compare the checksums in a zip archive, which torch does not look at."""
    if not zipfile.is_zipfile(file):
        return  # torch before 1.6 stored no checksum
    try:
        with zipfile.ZipFile(file) as archive:
            damaged = archive.testzip()
    except Exception as error:  # a damaged header leads zipfile to errors of many kinds
        raise CheckpointError(f'cannot load checkpoint {path}: it is damaged ({_reason(error)}). '
                              'Copy or download it again.') from error
    if damaged is not None:
        raise CheckpointError(f'cannot load checkpoint {path}: it is damaged, the checksum of '
                              f'{damaged} in it is wrong. Copy or download it again.')


def _read_safetensors(file: str, path: str) -> Dict[str, torch.Tensor]:
    try:
        from safetensors.torch import load_file
    except ImportError as error:
        raise UsageError('a .safetensors file needs the package safetensors: '
                         'pip install safetensors') from error
    try:
        return load_file(file)
    except Exception as error:  # the library has no common class for its errors
        raise CheckpointError(f'cannot load checkpoint {path}: it is truncated or not a '
                              f'safetensors file ({error})') from error


def _backbone_of(state: Dict[str, torch.Tensor]) -> Dict[str, torch.Tensor]:
    """Return the weights of an image classifier's backbone, under the backbone's own names."""
    prefix = 'backbone.'
    return {key[len(prefix):]: value for key, value in state.items() if key.startswith(prefix)}


def _without_wrapper(state: Dict[str, Any]) -> Dict[str, Any]:
    """Take the prefix of a parallel model off; the versions of the modules stay with the dict."""
    result = OrderedDict()
    for key, value in state.items():
        result[re.sub(r'^module\.', '', str(key))] = value
    if hasattr(state, '_metadata'):
        result._metadata = state._metadata
    return result


def refused_classes(path: str) -> List[str]:
    """Return the full names of the classes in a checkpoint that are not allow-listed.

    Args:
        path: a file.

    Returns:
        list[str]: sorted; empty also for what is no whole zip file (truncated files, those of
        torch before 1.6).
    """
    if not zipfile.is_zipfile(path):
        return []
    try:
        names = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except Exception:  # no checkpoint: torch raises nearly anything
        return []
    return sorted(names)


@contextmanager
def ignoring_classes(path: str, names: Sequence[str]) -> Iterator[None]:
    """Let :func:`load_checkpoint_file` leave objects of some classes out.

    An empty class stands in for each, and none of their code runs.

    Args:
        path: the file that will be read.
        names: full names of classes, such as ``deepspeed.runtime.fp16.loss_scaler.LossScaler``.

    Raises:
        UsageError: the file holds no object of such a class; only zip files can be asked.
    """
    refused = refused_classes(path)
    unknown = [name for name in names if name not in refused]
    if unknown and zipfile.is_zipfile(path):
        raise UsageError(f'--ignore-classes: {path} holds no object of {", ".join(unknown)} that '
                         f'would be refused; there are: {", ".join(refused) or "none"}')
    with torch.serialization.safe_globals([(_stand_in(name), name) for name in names]):
        yield


def _stand_in(name: str) -> type:
    """Make a class that takes what an object was stored with, and keeps nothing."""
    def ignore(self, *args, **kwargs) -> None:
        pass

    return type(name.rpartition('.')[2], (), dict(__init__=ignore, __setstate__=ignore))


def _reason(error: Exception) -> str:
    """Return the first sentence of an error; of a pickle's, the one after the general advice."""
    text = str(error)
    if isinstance(error, UnpicklingError):
        found = re.search(r'(?:WeightsUnpickler error: |\n\n)(\S.*)', text)
        if found:
            text = found.group(1)
    if ' ' not in text:  # a KeyError says nothing but its key
        text = f'{type(error).__name__} {text}'
    return text.splitlines()[0].split('. ')[0].strip()
