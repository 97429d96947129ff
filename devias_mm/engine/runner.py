"""Building MMEngine's runner, and what a dry run says of it."""
import os
from typing import Optional

import cv2
import torch
from mmengine.config import Config
from mmengine.hooks import RuntimeInfoHook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from devias_mm.compat import forget_earlier_runners, prepare_cpu_distributed
from devias_mm.engine.deferred_log import DeferredRuntimeInfoHook
from devias_mm.engine.quiet_runner import runner_class
from devias_mm.engine.runtime import strategy_problem
from devias_mm.engine.slurm import choose_port
from devias_mm.errors import UsageError


def set_threads(number: int) -> None:
    """Set the number of CPU threads; do nothing where there is a GPU.

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
        cfg: the config; ``launcher`` and ``work_dir`` are set.
        threads: CPU threads of this process.
        strategy: for a training: take the config's ``runner_type`` and ``strategy`` (FSDP,
            DeepSpeed); otherwise MMEngine's plain runner.

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
    if cfg.launcher == 'slurm':
        choose_port()
    prepare_cpu_distributed(cfg)
    forget_earlier_runners()
    runner = runner_class(cfg).from_cfg(cfg)
    # here and not in the configs: how values are logged is no part of a recipe's identity
    for i, hook in enumerate(runner.hooks):
        if type(hook) is RuntimeInfoHook:
            runner.hooks[i] = DeferredRuntimeInfoHook()
    return runner


def describe_model(runner: Runner) -> str:
    """Return one line about the runner's model."""
    model = runner.model
    if is_model_wrapper(model):
        model = model.module
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
        if is_model_wrapper(model):
            model = model.module
        inputs = model.data_preprocessor(batch, training=True)['inputs']
        text += f'; batch {tuple(inputs.shape)} {inputs.dtype}'
    return text
