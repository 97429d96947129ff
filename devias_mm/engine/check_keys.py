"""Misspelt keys of a config are named, with the nearest one that exists."""
import difflib
import inspect
from typing import Any, Dict, Iterable, Iterator, List, Optional, Set, Tuple

import mmaction.registry
import mmengine.registry
from mmengine.config import Config
from mmengine.registry import Registry
from mmengine.runner import FlexibleRunner, Runner
from torch.utils.data import DataLoader

from devias_mm.errors import UsageError

# what a runner is built from; the others it looks up in the config itself
RUNNER_KEYS = sorted({
    *inspect.signature(Runner.__init__).parameters,
    *inspect.signature(FlexibleRunner.__init__).parameters,
    'compile', 'custom_imports', 'find_unused_parameters', 'model_wrapper_cfg', 'runner_type',
} - {'self', 'cfg', 'kwargs'})
# the parts of a config that are looked into, and the registry of what has a `type` there
SECTIONS = dict(
    model='MODELS', train_dataloader='DATASETS', val_dataloader='DATASETS',
    test_dataloader='DATASETS', train_cfg='LOOPS', val_cfg='LOOPS', test_cfg='LOOPS',
    optim_wrapper='OPTIM_WRAPPERS', param_scheduler='PARAM_SCHEDULERS', default_hooks='HOOKS',
    custom_hooks='HOOKS', val_evaluator='METRICS', test_evaluator='METRICS')
# parts of these that have a registry of their own
PARTS = dict(
    pipeline='TRANSFORMS', sampler='DATA_SAMPLERS', batch_sampler='DATA_SAMPLERS',
    worker_init_fn='FUNCTIONS', collate_fn='FUNCTIONS', optimizer='OPTIMIZERS')
# what MMEngine takes out of these dicts before it calls the class
DATALOADER_KEYS = sorted({*inspect.signature(DataLoader.__init__).parameters, 'dataset',
                          'num_batch_per_epoch', '_delete_'} - {'self'})
TAKEN_BY_MMENGINE = {
    'LOOPS': ('runner', 'dataloader', 'evaluator'),
    'PARAM_SCHEDULERS': ('convert_to_iter_based', 'optimizer'),
    'OPTIM_WRAPPERS': ('optimizer', 'constructor', 'paramwise_cfg'),
    'OPTIMIZERS': ('params', ),
    'HOOKS': ('priority', ),
}


def nearest(key: str, known: Iterable[str]) -> str:
    """Return an ending for a message: the names that are spelt most like a key.

    Example::

        nearest('batchsize', ['batch_size', 'sampler'])  # "; did you mean 'batch_size'?"
    """
    found = difflib.get_close_matches(key, list(known), n=1)
    if found:
        return f'; did you mean {found[0]!r}?'
    return f'; accepted: {", ".join(sorted(known))}'


def check_option_keys(cfg: Config, options: Dict[str, Any]) -> None:
    """Check that ``--cfg-options`` change something that a runner or the config knows.

    Args:
        cfg: the config, before the options are merged.
        options: dotted keys to values.

    Raises:
        UsageError: the first part of a key is unknown.
    """
    known = {*cfg.keys(), *RUNNER_KEYS}
    for option in options:
        key = option.split('.')[0]
        if key not in known:
            raise UsageError(f'--cfg-options {option}: neither the config nor a runner has '
                             f'{key!r}{nearest(key, known)}')


def check_keys(cfg: Config) -> None:
    """Check the keys of a config against what they are passed to.

    A config may define names of its own at the top level, for other parts of it; one that is
    spelt nearly as a key of the runner is taken for a mistake. Below, every dict with a ``type``
    is compared with the arguments of that class.

    Raises:
        UsageError: a key is misspelt or unknown, or a ``type`` is.
    """
    for key in cfg:
        similar = difflib.get_close_matches(key, RUNNER_KEYS, n=1, cutoff=0.85)
        if key not in RUNNER_KEYS and similar:
            raise UsageError(f'{key}={cfg[key]!r:.60}: a runner takes no {key!r}; did you mean '
                             f'{similar[0]!r}?')
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        for key in cfg.get(name) or {}:
            if key not in DATALOADER_KEYS:
                raise UsageError(f'{name}.{key}={cfg[name][key]!r:.60}: a data loader takes no '
                                 f'{key!r}{nearest(key, DATALOADER_KEYS)}')
    for section, registry in SECTIONS.items():
        for path, node, kind in _typed_dicts(cfg.get(section), section, registry):
            _check_arguments(path, node, kind)


def _typed_dicts(node: Any, path: str, registry: str) -> Iterator[Tuple[str, dict, str]]:
    """Yield (path, dict, registry) of every dict with a ``type``."""
    if isinstance(node, dict):
        if isinstance(node.get('type'), str):
            yield path, node, registry
        for key, child in node.items():
            # norm_cfg and its like go through builders of their own
            if not str(key).endswith('_cfg'):
                yield from _typed_dicts(child, f'{path}.{key}', PARTS.get(key, registry))
    elif isinstance(node, (list, tuple)):
        for i, child in enumerate(node):
            yield from _typed_dicts(child, f'{path}[{i}]', registry)


def _check_arguments(path: str, node: dict, registry: str) -> None:
    name = node['type']
    made = _find(name, registry)
    if made is None:
        _check_type(path, name, registry)
        return
    known = _arguments(made)
    if known is None:
        return
    known.update(TAKEN_BY_MMENGINE.get(registry, ()))
    if path in ('train_cfg', 'val_cfg', 'test_cfg') or registry == 'OPTIM_WRAPPERS':
        known.add('type')
    for key in node:
        if key not in known and key not in ('type', '_scope_', '_delete_'):
            raise UsageError(f'{path}.{key}={node[key]!r:.60}: {name} takes no {key!r}'
                             f'{nearest(key, known)}')


def _check_type(path: str, name: str, registry: str) -> None:
    """Refuse a name that is in no registry; parts of foreign models may be built without one."""
    is_part_of_model = registry == 'MODELS' and path not in ('model', 'model.backbone')
    if '.' in name or is_part_of_model or any(_find(name, other) for other in _all_registries()):
        return
    known: Set[str] = set()
    for own in _registries(registry):
        known.update(own.module_dict)
    similar = difflib.get_close_matches(name, sorted(known), n=1)
    ending = f'; did you mean {similar[0]!r}?' if similar else ''
    raise UsageError(f'{path}.type={name!r}: nothing of that name is registered{ending}')


def _registries(name: str) -> List[Registry]:
    """Return MMAction2's registry of a name, and MMEngine's."""
    modules = (mmaction.registry, mmengine.registry)
    return [getattr(module, name) for module in modules if hasattr(module, name)]


def _all_registries() -> List[str]:
    return [name for name in dir(mmengine.registry)
            if isinstance(getattr(mmengine.registry, name), Registry)]


def _find(name: str, registry: str) -> Optional[Any]:
    for own in _registries(registry):
        # `get` imports what is not there yet, and takes full names of classes
        found = own.get(name)
        if found is not None:
            return found
    return None


def _arguments(made: Any) -> Optional[Set[str]]:
    """Return the arguments of a class or function; ``None`` where it takes any.

    What a class passes on by ``**kwargs`` are the arguments of its parents.
    """
    if not inspect.isclass(made):
        own, passes_on = _own_arguments(made)
        return None if passes_on else own
    known: Set[str] = set()
    for parent in made.__mro__:
        if '__init__' not in vars(parent):
            continue
        own, passes_on = _own_arguments(parent.__init__)
        if own is None:
            return None
        known |= own
        if not passes_on:
            return known - {'self'}
    return None


def _own_arguments(function: Any) -> Tuple[Optional[Set[str]], bool]:
    """Return the names of a function's arguments, and whether it takes others by ``**``."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # written in C
        return None, True
    collected = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    names = {parameter.name for parameter in parameters if parameter.kind not in collected}
    passes_on = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    return names, passes_on
