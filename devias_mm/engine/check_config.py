"""Values of a config that cannot work are refused before anything is built."""
import math
from numbers import Integral, Real
from typing import Any, Iterator, Optional, Tuple

from mmengine.config import Config

from devias_mm.engine.check_keys import check_keys
from devias_mm.engine.config import dicts_in
from devias_mm.errors import UsageError


def check_config(cfg: Config, training: bool) -> None:
    """Check keys, numbers and classes of a config.

    Args:
        cfg: with the changes of the command line.
        training: what only a training needs is checked as well.

    Raises:
        UsageError: one line with the key, its value and what is accepted.

    Example::

        cfg = load_config(args)
        check_config(cfg, training=True)
    """
    check_keys(cfg)
    _check_teacher(cfg.model)
    loaders = ['test_dataloader']
    if training:
        loaders = ['train_dataloader', 'val_dataloader']
        _check_schedule(cfg)
        _check_optimizer(cfg)
    for name in loaders:
        if cfg.get(name) is not None:
            _check_loader(cfg, name)
            _check_classes(cfg, name)


def _check_schedule(cfg: Config) -> None:
    if cfg.get('train_cfg') is None or cfg.get('train_dataloader') is None:
        raise UsageError('train_cfg, train_dataloader: a training needs both in the config.')
    for key in ('max_epochs', 'max_iters', 'val_interval'):
        if key in cfg.train_cfg:
            _check_integer(f'train_cfg.{key}', cfg.train_cfg[key], 1)


def _check_optimizer(cfg: Config) -> None:
    wrapper = cfg.get('optim_wrapper') or {}
    optimizer = wrapper.get('optimizer')
    if not isinstance(optimizer, dict):
        raise UsageError(f'optim_wrapper.optimizer={optimizer!r}: a training needs '
                         "dict(type='AdamW', lr=...) or another optimizer.")
    for key in ('lr', 'weight_decay'):
        value = optimizer.get(key, 0)
        is_number = isinstance(value, Real) and not isinstance(value, bool)
        if not is_number or not 0 <= value < math.inf:
            raise UsageError(f'optim_wrapper.optimizer.{key}={value!r}: accepted are numbers of '
                             'at least 0.')
    if 'accumulative_counts' in wrapper:
        _check_integer('optim_wrapper.accumulative_counts', wrapper.accumulative_counts, 1)


def _check_loader(cfg: Config, name: str) -> None:
    loader = cfg[name]
    if loader.get('batch_sampler') is None or 'batch_size' in loader:
        _check_integer(f'{name}.batch_size', loader.get('batch_size', 1), 1)
    workers = loader.get('num_workers', 0)
    _check_integer(f'{name}.num_workers', workers, 0)
    if loader.get('persistent_workers') and workers == 0:
        raise UsageError(f'{name}.persistent_workers=True: that needs num_workers of at least 1, '
                         'got 0.')


def _check_integer(key: str, value: Any, least: int) -> None:
    is_integer = isinstance(value, Integral) and not isinstance(value, bool)
    if not is_integer or value < least:
        raise UsageError(f'{key}={value!r}: accepted are integers of at least {least}.')


def _check_classes(cfg: Config, name: str) -> None:
    """Compare the classes of the model with those of a loader's data."""
    for own_key, own, key in _model_classes(cfg.model):
        found = _data_classes(cfg[name].get('dataset'), key)
        if found is not None and found != own:
            raise UsageError(f'{own_key}={own!r}: the data of {name} has {key}={found}; accepted '
                             f'is {found}, or other data.')


def _check_teacher(model: dict) -> None:
    teacher = model.get('scene_teacher') or {}
    own, taught = model.get('num_scene_classes'), teacher.get('num_scene_classes')
    if own is not None and taught is not None and own != taught:
        raise UsageError(f'model.num_scene_classes={own!r}: the scene teacher has {taught}; '
                         f'accepted is {taught}, or another model.scene_teacher.')


def _model_classes(model: dict) -> Iterator[Tuple[str, int, str]]:
    """Yield (key in the config, value, key of the data set) of the classes that are learnt."""
    head = model.get('cls_head') or {}
    if 'num_classes' in head:
        yield 'model.cls_head.num_classes', head['num_classes'], 'num_classes'
    if model.get('num_classes') is not None:
        yield 'model.num_classes', model['num_classes'], 'num_classes'
    # with a teacher, the scenes of the list are not learnt
    if model.get('num_scene_classes') and model.get('scene_teacher') is None:
        yield 'model.num_scene_classes', model['num_scene_classes'], 'num_scene_classes'


def _data_classes(dataset: Any, key: str) -> Optional[int]:
    """Return the number of classes of a data set, also of one within others."""
    for node in dicts_in(dataset):
        if node.get(key) is not None:
            return node[key]
    return None
