"""Checkpoints are looked at before any work starts with them."""
import os.path as osp
import re
import zipfile
from pathlib import Path
from pickle import UnpicklingError
from typing import List, Optional, Union

import torch
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import CheckpointLoader
from torch import nn

from devias_mm.errors import CheckpointError


def load_checkpoint_file(path: str) -> dict:
    """Load a checkpoint on the CPU, without running code from it.

    Args:
        path (str): a file or a URL.

    Returns:
        dict: the checkpoint; ``['state_dict']`` holds the weights, without the
        prefix ``module.``.

    Raises:
        CheckpointError: there is no such file, it is truncated or no
            checkpoint, or it holds objects of classes that are not allow-listed.
    """
    is_url = '://' in path
    if not is_url and not osp.isfile(path):
        raise CheckpointError(f'checkpoint not found: {path}. Give the path of a .pth file, '
                              'such as <work_dir>/epoch_<n>.pth.')
    try:
        if is_url:
            checkpoint = CheckpointLoader.load_checkpoint(path, map_location='cpu')
        else:
            checkpoint = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # torch raises nearly anything on a broken file
        refused = refused_classes(path)
        if isinstance(error, UnpicklingError) and refused:
            raise CheckpointError(
                f'cannot load checkpoint {path}: it holds objects of classes that could run code '
                f'when they are loaded: {", ".join(refused)}. Take its weights out without them: '
                'tools/data/convert_checkpoint.py with --ignore-classes '
                f'{" ".join(refused)}.') from error
        raise CheckpointError(f'cannot load checkpoint {path}: it is truncated or not a '
                              f'checkpoint ({_reason(error)}). Take another one, or train again '
                              'with --resume.') from error
    if not isinstance(checkpoint, dict):
        raise CheckpointError(f'{path} holds a {type(checkpoint).__name__}, not a checkpoint.')
    checkpoint = checkpoint if 'state_dict' in checkpoint else dict(state_dict=checkpoint)
    checkpoint['state_dict'] = {
        re.sub(r'^module\.', '', key): value for key, value in checkpoint['state_dict'].items()}
    return checkpoint


def refused_classes(path: str) -> List[str]:
    """Full names of what a checkpoint holds objects of and is not allow-listed.

    Args:
        path (str): a file.

    Returns:
        list[str]: sorted; empty also for what is no whole zip file (URLs, truncated files,
        those of torch before 1.6).
    """
    if not zipfile.is_zipfile(path):
        return []
    try:
        return sorted(torch.serialization.get_unsafe_globals_in_checkpoint(path))
    except Exception:  # no checkpoint: torch raises nearly anything
        return []


def _reason(error: Exception) -> str:
    """First sentence of what torch says; of a pickle, that behind its general advice."""
    text = str(error)
    if isinstance(error, UnpicklingError):
        found = re.search(r'(?:WeightsUnpickler error: |\n\n)(\S.*)', text)
        text = found.group(1) if found else text
    return (text.splitlines() or [type(error).__name__])[0].split('. ')[0]


def check_weights(model: nn.Module, checkpoint: dict, path: str) -> None:
    """Check that a checkpoint holds every weight of a model.

    MMEngine only logs what is missing or of another shape and goes on. Weights
    that the model does not have are logged here, too. A fixed position table, which
    the model makes itself, may be missing.

    Args:
        model (nn.Module): the model, maybe wrapped.
        checkpoint (dict): from :func:`load_checkpoint_file`.
        path (str): names the checkpoint in messages.

    Raises:
        CheckpointError: weights of the model are missing or have another shape.
    """
    model = model.module if is_model_wrapper(model) else model
    own, given = model.state_dict(), checkpoint['state_dict']
    # the sine-cosine table of an encoder is not in the files of other projects
    made = {key for key, _ in model.named_buffers() if key.endswith('pos_embed')}
    missing = [key for key in own if key not in given and key not in made]
    unexpected = [key for key in given if key not in own]
    shapes = [f'{key}: {tuple(given[key].shape)} for {tuple(own[key].shape)}'
              for key in own if key in given and given[key].shape != own[key].shape]
    if missing or shapes:
        raise CheckpointError(
            f'checkpoint {path} does not fit the model of this config. '
            f'Missing weights ({len(missing)}): {_some(missing)}. '
            f'Of another shape ({len(shapes)}): {_some(shapes)}. '
            f'Unexpected ({len(unexpected)}): {_some(unexpected)}. '
            'Use the config that the checkpoint was trained with.')
    if unexpected:
        print_log(f'checkpoint {path} holds {len(unexpected)} weights that the model does not '
                  f'have: {_some(unexpected)}', logger='current')


def load_weights(model: nn.Module, path: str) -> dict:
    """Load all weights of a model from a file.

    Args:
        model (nn.Module): the model.
        path (str): of the checkpoint.

    Returns:
        dict: the checkpoint.

    Raises:
        CheckpointError: the file is missing or unusable, or lacks weights of the model.
    """
    checkpoint = load_checkpoint_file(path)
    check_weights(model, checkpoint, path)
    # what is left over in the file has been logged
    model.load_state_dict(checkpoint['state_dict'], strict=False)
    return checkpoint


def check_encoder(model: nn.Module, checkpoint: dict, path: str) -> None:
    """Check that a checkpoint holds the encoder that a training starts from.

    MMEngine only logs what is missing or of another shape and trains that from scratch.
    Compared is what it would load: the weights and batch statistics of ``model.backbone`` by
    their names in the model. What a start need not have: everything outside the backbone
    (classifiers, slots, mask decoder), the backbone's extra tokens, its final norm (VideoMAE's
    fine-tuning normalises behind the mean) and a fixed position table, which is made
    anew. A table that is there, but of another size, is an error: MMEngine would leave it
    out.

    Args:
        model (nn.Module): the model, maybe wrapped. One whose weights have other names in a
            start has a method ``adopt``, which renames them.
        checkpoint (dict): from :func:`load_checkpoint_file`.
        path (str): names the checkpoint in messages.

    Raises:
        CheckpointError: weights of the encoder are missing or have another shape.
    """
    model = model.module if is_model_wrapper(model) else model
    backbone = getattr(model, 'backbone', None)
    if backbone is None:
        return
    given = checkpoint['state_dict']
    if hasattr(model, 'adopt'):
        given = model.adopt(given)
    own = {f'backbone.{key}': value for key, value in backbone.state_dict().items()
           if not key.endswith('num_batches_tracked')}
    if _patch_positions(given) == _patch_positions(own):
        # the tables differ in the positions of extra tokens at most: the model keeps its own
        own.pop('backbone.pos_embed', None)
    optional = {f'backbone.{key}' for key in ('extra_tokens', 'norm.weight', 'norm.bias')}
    optional |= {f'backbone.{key}' for key, _ in backbone.named_buffers()
                 if key.endswith('pos_embed')}
    missing = [key for key in own if key not in given and key not in optional]
    shapes = [f'{key}: {tuple(given[key].shape)} for {tuple(value.shape)}'
              for key, value in own.items() if key in given and given[key].shape != value.shape]
    # the other way round only blocks count: those of a deeper encoder
    deeper = [key for key in given if key.startswith('backbone.blocks.') and key not in own]
    if missing or shapes or deeper:
        raise CheckpointError(
            f'checkpoint {path} (load_from) does not hold the encoder of this config, '
            f'{type(backbone).__name__}. Missing weights ({len(missing)} of {len(own)}): '
            f'{_some(missing)}. Of another shape ({len(shapes)}): {_some(shapes)}. In the file '
            f'alone: {_some(deeper or [key for key in given if key not in own])}. A file of '
            'another project gets the names of this one by tools/data/convert_checkpoint.py '
            '(docs/checkpoints.md); another file: --cfg-options load_from=FILE; from scratch: '
            'load_from=None.')


def _patch_positions(state: dict) -> Optional[int]:
    """Count the patch tokens that the position table of a state dict was made for."""
    table = state.get('backbone.pos_embed')
    if table is None:
        return None
    extra = state.get('backbone.extra_tokens')
    return table.shape[1] - (0 if extra is None else extra.shape[1])


def _some(items: list) -> str:
    return (', '.join(items[:5]) + (', ...' if len(items) > 5 else '')) or 'none'


def find_resumable(work_dir: Union[str, Path]) -> Optional[str]:
    """Return the newest checkpoint in ``work_dir`` that can be loaded.

    A training that is killed while it writes leaves a truncated file behind:
    it is named in the log and passed over. MMEngine's pointer file
    ``last_checkpoint`` is not used, because it may lag behind or be truncated.

    Returns:
        str, optional: ``None`` where there is no usable checkpoint.
    """
    found = [(int(match.group(1)), path) for path in Path(work_dir).glob('*.pth')
             for match in [re.fullmatch(r'(?:epoch|iter)_(\d+)\.pth', path.name)] if match]
    for _, path in sorted(found, reverse=True):
        try:
            load_checkpoint_file(str(path))
        except CheckpointError as error:
            print_log(f'{error} Falling back to the checkpoint before it.', logger='current')
        else:
            return str(path)
    return None
