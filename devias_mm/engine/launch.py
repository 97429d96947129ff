"""What the command lines ``tools/train.py`` and ``tools/test.py`` share."""
import argparse
import copy
import fnmatch
import os
import os.path as osp
from typing import Iterable, Iterator, List, Optional, Sequence, Union

import cv2
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config, ConfigDict, DictAction
from mmengine.dist import is_main_process
from mmengine.hooks import RuntimeInfoHook
from mmengine.model import is_model_wrapper
from mmengine.registry import RUNNERS, init_default_scope
from mmengine.runner import Runner

from devias_mm.compat import forget_earlier_runners, prepare_cpu_distributed
from devias_mm.engine.deferred_log import DeferredRuntimeInfoHook
from devias_mm.engine.runtime import strategy_problem
from devias_mm.errors import CheckpointError, ListFileError, MissingFileError, UsageError
from devias_mm.files import file_sha256
from devias_mm.weights.checkpoints import check_encoder, load_checkpoint_file


class KeyValueAction(DictAction):
    """MMEngine's parser of KEY=VALUE; anything else is an error and no traceback."""

    def __call__(self, parser, namespace, values, option_string=None):
        bad = [value for value in values if '=' not in value]
        if bad:
            parser.error(f'{option_string}: {bad[0]!r} is not of the form KEY=VALUE')
        super().__call__(parser, namespace, values, option_string)


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of both tools to a parser."""
    parser.add_argument('--work-dir', help='folder of logs and results; default: '
                        'work_dirs/<name of the config>')
    parser.add_argument('--data-root', help='replaces `data_root` of every dataset')
    parser.add_argument('--cfg-options', nargs='+', action=KeyValueAction, metavar='KEY=VALUE',
                        help='overrides of the config, such as train_cfg.max_epochs=2')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm'], default='none')
    parser.add_argument('--threads', type=int, default=1, metavar='N',
                        help='threads of a process on the CPU (default: 1)')
    parser.add_argument('--dry-run', action='store_true',
                        help='build everything, show it, do nothing')
    # given by torch.distributed.launch, read from the environment
    parser.add_argument('--local_rank', '--local-rank', type=int, help=argparse.SUPPRESS)


def load_config(args: argparse.Namespace) -> Config:
    """Load the config and merge the options of :func:`add_common_arguments`.

    Raises:
        MissingFileError: there is no such config.
    """
    if not osp.isfile(args.config):
        raise MissingFileError(f'config not found: {args.config}. The shipped ones are under '
                                'configs/.')
    cfg = Config.fromfile(args.config)
    override_config(cfg, args)
    if cfg.get('work_dir') is None:
        cfg.work_dir = osp.join('work_dirs', osp.splitext(osp.basename(args.config))[0])
    return cfg


def override_config(cfg: Config, args: argparse.Namespace) -> None:
    """Merge the options of :mod:`devias_mm.cli` into a config; a tool may have fewer."""
    cfg.launcher = getattr(args, 'launcher', 'none')
    if args.cfg_options is not None:
        cfg.merge_from_dict(parse_options(args.cfg_options))
    if args.data_root is not None:
        for node in _dicts(cfg._cfg_dict):
            if 'data_root' in node:
                node['data_root'] = args.data_root
    work_dir = getattr(args, 'work_dir', None)
    if work_dir is not None:
        cfg.work_dir = work_dir


def parse_options(options: Union[dict, Sequence[str]]) -> dict:
    """Return the changes that ``KEY=VALUE`` texts make, parsed as MMEngine's tools do it."""
    if isinstance(options, dict):
        return options
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args(['--cfg-options', *options]).cfg_options


def _dicts(node) -> Iterator[ConfigDict]:
    if isinstance(node, dict):
        yield node
    children = node.values() if isinstance(node, dict) else node
    for child in children if isinstance(node, (dict, list, tuple)) else ():
        if isinstance(child, (dict, list, tuple)):
            yield from _dicts(child)


def check_pretrained(cfg: Config) -> None:
    """Check the checkpoints that a training starts from, before it starts.

    Args:
        cfg (Config): ``load_from`` and every ``init_cfg=dict(type='Pretrained',
            checkpoint=...)`` in it are checked; URLs are left to MMEngine. A scene teacher
            must have such weights, or find them in ``load_from``.

    Raises:
        CheckpointError: a file is missing, truncated or no checkpoint, or a teacher has none.
    """
    start = _load_start('load_from', cfg.get('load_from'), 'load_from=FILE; none: load_from=None')
    teacher = cfg.model.get('scene_teacher') or {}
    # what has neither, as CLIP, finds its weights by itself
    if ('backbone' in teacher or 'classifier' in teacher) \
            and not (teacher.get('init_cfg') or {}).get('checkpoint') \
            and not any(key.startswith('scene_teacher.') for key in start):
        raise CheckpointError(
            f'model.scene_teacher ({teacher.get("type")}) has no weights: its labels would be '
            "random. Give it init_cfg=dict(type='Pretrained', checkpoint=FILE), or set "
            'model.scene_teacher=None and take a list with a scene column, or scene_label_file '
            'of the dataset (docs/scenes_and_masks.md).')
    for node in _dicts(cfg.model):
        if node.get('type') == 'Pretrained':
            path = node.get('checkpoint')
            if not path:
                raise CheckpointError(
                    "an init_cfg=dict(type='Pretrained', ...) in the model has no checkpoint: "
                    'name a file, or leave out the whole with init_cfg=None.')
            _load_start(f'init_cfg.checkpoint {path}', path,
                        'model.scene_teacher.init_cfg.checkpoint=FILE')


def _load_start(key: str, path: Optional[str], remedy: str) -> dict:
    """Load and so check a checkpoint; returns its weights, none of a URL or ``None``."""
    if not path or '://' in path:
        return {}
    if not osp.isfile(path):
        raise CheckpointError(
            f'checkpoint not found: {path} ({key} of the config). docs/real_data.md says where '
            f'the weights come from; another file: --cfg-options {remedy}.')
    return load_checkpoint_file(path)['state_dict']


def check_start(runner: Runner, cfg: Config) -> None:
    """Check that ``load_from`` holds the encoder of a new training, and note its SHA-256.

    That goes into the checkpoints of the training as ``load_from_sha256`` of MMEngine's message
    hub, which a resumed training takes over, and from there into ``run.json``.

    Raises:
        CheckpointError: weights of the encoder are missing or have another shape.
    """
    path = cfg.get('load_from')
    if not path or cfg.get('resume'):
        return
    model = runner.model
    if not isinstance(model, torch.nn.Module):  # the runner of a strategy builds it later
        model = MODELS.build(copy.deepcopy(model))
    check_encoder(model, load_checkpoint_file(path), path)
    if is_main_process() and osp.isfile(path):  # the only one that writes checkpoints
        runner.message_hub.update_info('load_from_sha256', file_sha256(path))


def check_test_lists(cfg: Config, splits: Sequence[str] = ()) -> None:
    """Read the lists of test splits and look for their videos; what is missing is logged.

    Args:
        cfg (Config): the config.
        splits (Sequence[str]): names or patterns of the splits. Defaults to those that
            ``test_cfg.selected`` names, or all.

    Raises:
        ListFileError: a list or its scene labels cannot be used.
        FileNotFoundError: all videos of a split are missing.
    """
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    known = cfg.test_cfg.get('splits') or dict(test={})
    for split in choose_splits(known, splits or cfg.test_cfg.get('selected')):
        try:
            DATASETS.build(split_dataset(cfg.test_dataloader.dataset, known[split]))
        except (ListFileError, FileNotFoundError) as error:
            raise type(error)(f'split {split!r}: {error}') from error


def choose_splits(known: Iterable[str], patterns: Optional[Sequence[str]] = None) -> List[str]:
    """Names of splits that names or patterns such as ``'hat-*'`` select; all by default.

    Raises:
        UsageError: a pattern selects nothing.
    """
    known = list(known)
    found = {name: fnmatch.filter(known, name) for name in patterns or known}
    unknown = [name for name, splits in found.items() if not splits]
    if unknown:
        raise UsageError(f'unknown split(s) {unknown}; accepted: {sorted(known)}.')
    return list(dict.fromkeys(split for splits in found.values() for split in splits))


def split_dataset(template: ConfigDict, changes: dict) -> ConfigDict:
    """Config of a split's data set: the template with what the split changes in it."""
    cfg = Config(dict(dataset=copy.deepcopy(dict(template))))
    cfg.merge_from_dict(dict(dataset=dict(changes)))
    return cfg.dataset


def set_threads(number: int) -> None:
    """Set the number of CPU threads; does nothing where there is a GPU.

    A small model on more threads than free cores is many times slower, and
    denormal numbers slow the CPU down, so they are flushed to zero.
    """
    if number < 1:
        raise UsageError(f'--threads must be at least 1, got {number}.')
    if not torch.cuda.is_available():
        torch.set_num_threads(number)
        torch.set_flush_denormal(True)
        cv2.setNumThreads(0)


def build_runner(cfg: Config, threads: int = 1, strategy: bool = False) -> Runner:
    """Build MMEngine's runner, on the GPU or, without one, on the CPU.

    Args:
        cfg (Config): the config; ``launcher`` and ``work_dir`` are set.
        threads (int): CPU threads of this process. Defaults to 1.
        strategy (bool): for a training: take the config's ``runner_type`` and
            ``strategy`` (FSDP, DeepSpeed); otherwise MMEngine's plain runner.
            Defaults to False.

    Raises:
        UsageError: the launcher or the strategy does not go with the machine.
    """
    set_threads(threads)
    if cfg.launcher == 'pytorch' and 'LOCAL_RANK' not in os.environ:
        raise UsageError("--launcher pytorch needs torch's launcher: use tools/dist_train.sh "
                         'or tools/dist_test.sh, or leave the option out.')
    if not strategy:
        for key in ('runner_type', 'strategy'):
            cfg.pop(key, None)
    problem = strategy_problem(cfg)
    if problem:
        raise UsageError(problem)
    prepare_cpu_distributed(cfg)
    forget_earlier_runners()
    runner = RUNNERS.build(cfg)  # MMEngine's Runner, or the one that `runner_type` names
    # here and not in the configs: how values are logged is no part of a recipe's identity
    runner.hooks[:] = [DeferredRuntimeInfoHook() if type(hook) is RuntimeInfoHook else hook
                       for hook in runner.hooks]
    return runner


def describe_model(runner: Runner) -> str:
    """One line about the runner's model."""
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    parameters = list(model.parameters())
    total = sum(p.numel() for p in parameters)
    trained = sum(p.numel() for p in parameters if p.requires_grad)
    return (f'model: {type(model).__name__}, {total:,} parameters, {trained:,} of them '
            'trained')


def describe_loader(name: str, loader, model: Optional[torch.nn.Module] = None) -> str:
    """Load one batch and say what it is; with a model, preprocess it as in training."""
    batch = next(iter(loader))
    readable = [clip for clip in batch['inputs'] if clip.numel()]
    text = (f'{name}: {len(loader.dataset)} videos, {len(loader)} batches of '
            f'{loader.batch_size or len(batch["inputs"])}')
    if readable:
        text += f'; clip {tuple(readable[0].shape)} {readable[0].dtype}'
    if model is not None:
        model = model.module if is_model_wrapper(model) else model
        inputs = model.data_preprocessor(batch, training=True)['inputs']
        text += f'; batch {tuple(inputs.shape)} {inputs.dtype}'
    return text
