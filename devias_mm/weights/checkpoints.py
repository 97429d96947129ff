"""Checkpoints are compared with the model before any work starts with them."""
import re
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Union

from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from torch import Tensor, nn

from devias_mm.errors import CheckpointError, shorten
from devias_mm.weights.reading import load_checkpoint_file


class Difference(NamedTuple):
    """How the weights of a checkpoint differ from those that a model wants.

    Attributes:
        missing: names of the model's weights that the checkpoint lacks.
        shapes: weights of another shape, as ``name: (2, 3) for (4, 3)``.
        unexpected: names that the model does not have.
    """
    missing: List[str]
    shapes: List[str]
    unexpected: List[str]


def compare(own: Dict[str, Tensor], given: Dict[str, Tensor]) -> Difference:
    """Compare names and shapes.

    Args:
        own: the weights of a model.
        given: the weights of a checkpoint.
    """
    missing = [key for key in own if key not in given]
    shapes = []
    for key, value in own.items():
        shape = getattr(given.get(key), 'shape', value.shape)
        if shape != value.shape:
            shapes.append(f'{key}: {tuple(shape)} for {tuple(value.shape)}')
    unexpected = [key for key in given if key not in own]
    return Difference(missing, shapes, unexpected)


def check_weights(model: nn.Module, checkpoint: dict, path: str) -> None:
    """Check that a checkpoint holds every weight of a model.

    MMEngine only logs what is missing or of another shape and goes on. Weights
    that the model does not have are logged here, too. A fixed position table, which
    the model makes itself, may be missing.

    Args:
        model: the model, maybe wrapped.
        checkpoint: from :func:`load_checkpoint_file`.
        path: names the checkpoint in messages.

    Raises:
        CheckpointError: weights of the model are missing or have another shape.
    """
    model = _unwrapped(model)
    found = compare(model.state_dict(), checkpoint['state_dict'])
    fixed = _fixed_tables(model)
    missing = [key for key in found.missing if key not in fixed]
    if missing or found.shapes:
        raise CheckpointError(
            f'checkpoint {path} does not fit the model of this config. '
            f'Missing weights ({len(missing)}): {_list(missing)}. '
            f'Of another shape ({len(found.shapes)}): {_list(found.shapes)}. '
            f'Unexpected ({len(found.unexpected)}): {_list(found.unexpected)}. '
            'Use the config that the checkpoint was trained with.')
    if found.unexpected:
        print_log(f'checkpoint {path} holds {len(found.unexpected)} weights that the model does '
                  f'not have: {_list(found.unexpected)}', logger='current')


def load_weights(model: nn.Module, path: str) -> dict:
    """Read a checkpoint, check that it holds every weight of a model, and load it.

    For models that are used as they are: teachers, encoders of features, models under test.

    Args:
        model: any module.
        path: a file or a URL.

    Returns:
        dict: the checkpoint.

    Raises:
        CheckpointError: the checkpoint cannot be used, or is not the model's.

    Example::

        model = MODELS.build(cfg.model)
        load_weights(model, 'work_dirs/two-token/epoch_100.pth')
    """
    checkpoint = load_checkpoint_file(path)
    check_weights(model, checkpoint, path)
    model.load_state_dict(checkpoint['state_dict'], strict=False)
    return checkpoint


def check_start(model: nn.Module, checkpoint: dict, path: str) -> str:
    """Check that a training can start from a checkpoint, and tell what it does not get from it.

    MMEngine only logs what is missing or of another shape and trains that from scratch.
    Compared is what it would load, by the names in the model. The backbone must be there. Each
    other part (slot attention, mask decoder ...) is whole in the checkpoint, or absent and then
    keeps its initial values; so do classifiers of other classes. Of the backbone, the extra
    tokens, the final norm (VideoMAE's fine-tuning normalises after the mean) and a fixed
    position table may be missing.

    Args:
        model: the model, maybe wrapped. One whose weights have other names in the checkpoint
            has a method ``adopt``, which renames them.
        checkpoint: from :func:`load_checkpoint_file`.
        path: names the checkpoint in messages.

    Returns:
        str: a line about the parts that keep their initial values; empty where there are none.

    Raises:
        CheckpointError: weights are missing or have another shape.
    """
    model = _unwrapped(model)
    given = checkpoint['state_dict']
    if hasattr(model, 'adopt'):
        given = model.adopt(given)
    fixed = _fixed_tables(model)
    initial = []
    for part, own in _parts(model).items():
        if part == 'backbone' and _patch_positions(given) == _patch_positions(own):
            # the tables differ in the positions of extra tokens at most: the model keeps its own
            own.pop('backbone.pos_embed', None)
        prefix = f'{part}.'
        found = compare(own, {key: given[key] for key in given if key.startswith(prefix)})
        missing = [key for key in found.missing if key not in fixed]
        if part == 'backbone':
            optional = [key for key in missing if _is_optional(key)]
            missing = [key for key in missing if key not in optional]
            initial += optional
            _check_backbone(model.backbone, given, missing, found, len(own), path)
            continue
        if _is_other_classifier(part, own, given):
            initial.append(f'{part} (other classes)')
        elif len(found.missing) == len(own):
            initial.append(part)
        elif missing or found.shapes:
            raise CheckpointError(
                f'checkpoint {path} (load_from) does not hold the whole {part} of this model. '
                f'Missing weights ({len(missing)} of {len(own)}): {_list(missing)}. Of another '
                f'shape ({len(found.shapes)}): {_list(found.shapes)}. Use a checkpoint of the '
                f'same recipe, or one without any {part}.')
    if not initial:
        return ''
    return f'load_from {path} leaves at their initial values: {", ".join(initial)}'


def _list(names: List[str]) -> str:
    return shorten(names, 5) or 'none'


def _parts(model: nn.Module) -> Dict[str, Dict[str, Tensor]]:
    """Split the weights of a model by its direct children, those without weights left out."""
    parts = {}
    for key, value in model.state_dict().items():
        # counters of batches are no weights
        if not key.endswith('num_batches_tracked'):
            parts.setdefault(key.split('.')[0], {})[key] = value
    return parts


def _patch_positions(state: Dict[str, Tensor]) -> Optional[int]:
    """Count the patch tokens that the position table of a state dict was made for."""
    table = state.get('backbone.pos_embed')
    if table is None:
        return None
    extra = state.get('backbone.extra_tokens')
    if extra is None:
        return table.shape[1]
    return table.shape[1] - extra.shape[1]


def _is_optional(key: str) -> bool:
    return key in ('backbone.extra_tokens', 'backbone.norm.weight', 'backbone.norm.bias')


def _is_other_classifier(part: str, own: Dict[str, Tensor], given: Dict[str, Tensor]) -> bool:
    """Return whether the checkpoint's classifier differs in the number of its classes alone."""
    if not part.endswith('head') or any(key not in given for key in own):
        return False
    if all(given[key].shape == value.shape for key, value in own.items()):
        return False
    return all(given[key].shape[1:] == value.shape[1:] for key, value in own.items())


def _check_backbone(backbone: nn.Module, given: Dict[str, Tensor], missing: List[str],
                    found: Difference, count: int, path: str) -> None:
    # of what the model does not have only blocks count: those of a deeper encoder
    deeper = [key for key in found.unexpected if key.startswith('backbone.blocks.')]
    if not (missing or found.shapes or deeper):
        return
    alone = deeper or found.unexpected or list(given)
    raise CheckpointError(
        f'checkpoint {path} (load_from) does not hold the encoder of this config, '
        f'{type(backbone).__name__}. Missing weights ({len(missing)} of {count}): '
        f'{_list(missing)}. Of another shape ({len(found.shapes)}): {_list(found.shapes)}. '
        f'In the file alone: {_list(alone)}. A file of another project gets the names of this '
        'one by tools/data/convert_checkpoint.py (docs/checkpoints.md); another file: '
        '--cfg-options load_from=FILE; from scratch: load_from=None.')


def _fixed_tables(model: nn.Module) -> List[str]:
    """Name the sine-cosine tables of encoders, which are not in the files of other projects."""
    return [key for key, _ in model.named_buffers() if key.endswith('pos_embed')]


def _unwrapped(model: nn.Module) -> nn.Module:
    if is_model_wrapper(model):
        return model.module
    return model


def find_resumable(work_dir: Union[str, Path]) -> Optional[str]:
    """Return the newest checkpoint in ``work_dir`` that can be loaded.

    A training that is killed while it writes leaves a truncated file:
    it is named in the log and passed over. MMEngine's pointer file
    ``last_checkpoint`` is not used, because it may lag behind or be truncated.

    Returns:
        str, optional: ``None`` where there is no usable checkpoint.
    """
    numbers = {}
    for path in Path(work_dir).glob('*.pth'):
        match = re.fullmatch(r'(?:epoch|iter)_(\d+)\.pth', path.name)
        if match:
            numbers[path] = int(match.group(1))
    for path in sorted(numbers, key=numbers.get, reverse=True):
        try:
            load_checkpoint_file(str(path))
        except CheckpointError as error:
            print_log(f'{error} Falling back to the checkpoint before it.', logger='current')
        else:
            return str(path)
    return None
