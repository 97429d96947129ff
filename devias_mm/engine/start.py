"""The weights that a training starts from."""
import copy
import os.path as osp
from typing import Optional

import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.runner import Runner

from devias_mm.engine.config import dicts_in
from devias_mm.errors import CheckpointError
from devias_mm.files import file_sha256
from devias_mm.weights.checkpoints import check_start
from devias_mm.weights.download import local_file
from devias_mm.weights.reading import load_checkpoint_file


def check_pretrained(cfg: Config) -> None:
    """Check the checkpoints that a training starts from, before it starts.

    Args:
        cfg: ``load_from`` and every ``init_cfg=dict(type='Pretrained', checkpoint=...)`` in it
            are checked. A scene teacher must have such weights, or find them in ``load_from``.

    Raises:
        CheckpointError: a file is missing, damaged or no checkpoint, or a teacher has none.
    """
    start = _read_start('load_from', cfg.get('load_from'), 'load_from=FILE; none: load_from=None')
    teacher = cfg.model.get('scene_teacher') or {}
    # what has neither, as CLIP, finds its weights by itself
    has_network = 'backbone' in teacher or 'classifier' in teacher
    has_file = bool((teacher.get('init_cfg') or {}).get('checkpoint'))
    is_in_start = any(key.startswith('scene_teacher.') for key in start)
    if has_network and not has_file and not is_in_start:
        raise CheckpointError(
            f'model.scene_teacher ({teacher.get("type")}) has no weights: its labels would be '
            "random. Give it init_cfg=dict(type='Pretrained', checkpoint=FILE), or set "
            'model.scene_teacher=None and take a list with a scene column, or scene_label_file '
            'of the dataset (docs/scenes_and_masks.md).')
    for node in dicts_in(cfg.model):
        if node.get('type') != 'Pretrained':
            continue
        path = node.get('checkpoint')
        if not path:
            raise CheckpointError(
                "an init_cfg=dict(type='Pretrained', ...) in the model has no checkpoint: "
                'name a file, or leave out the whole with init_cfg=None.')
        _read_start(f'init_cfg.checkpoint {path}', path,
                    'model.scene_teacher.init_cfg.checkpoint=FILE')


def _read_start(key: str, path: Optional[str], remedy: str) -> dict:
    """Read and so check a checkpoint; return its weights, none without a path."""
    if not path:
        return {}
    if '://' not in path and not osp.isfile(path):
        raise CheckpointError(
            f'checkpoint not found: {path} ({key} of the config). docs/real_data.md says where '
            f'the weights come from; another file: --cfg-options {remedy}.')
    return load_checkpoint_file(path)['state_dict']


def check_load_from(runner: Runner, cfg: Config) -> None:
    """Check that a new training can start from ``load_from``, and note its SHA-256.

    What the training does not get from the file is printed in one line. The hash goes into the
    checkpoints of the training as ``load_from_sha256`` of MMEngine's message hub, which a resumed
    training takes over, and from there into ``run.json``.

    Raises:
        CheckpointError: weights are missing or have another shape.
    """
    path = cfg.get('load_from')
    if not path or cfg.get('resume'):
        return
    model = runner.model
    if not isinstance(model, torch.nn.Module):  # the runner of a strategy builds it later
        model = MODELS.build(copy.deepcopy(model))
    line = check_start(model, load_checkpoint_file(path), path)
    if is_main_process():  # the only one that writes checkpoints
        runner.message_hub.update_info('load_from_sha256', file_sha256(local_file(path)))
        if line:
            print(line)
