"""Mixed precision without a loss scaler, and MMEngine's training strategies."""
import importlib.util
from contextlib import contextmanager
from typing import Iterator

import torch
from mmaction.registry import OPTIM_WRAPPERS
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from torch import nn


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Train under bfloat16 autocast, on the GPU or the CPU.

    bfloat16 has the range of float32, so that nothing has to scale the loss as
    in MMEngine's ``AmpOptimWrapper``, which needs a GPU.

    Args:
        **kwargs: of MMEngine's ``OptimWrapper``: ``optimizer``,
            ``accumulative_counts``, ``clip_grad``.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Cast the forward pass of ``model``."""
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(device, torch.bfloat16):
            yield


def strategy_problem(cfg: Config) -> str:
    """Why the strategy of a config cannot train here.

    Args:
        cfg (Config): with ``launcher``; a strategy has its ``type`` in
            ``strategy``.

    Returns:
        str: a sentence with the remedy; empty where nothing is wrong.
    """
    kind = (cfg.get('strategy') or {}).get('type', '')
    if 'DeepSpeed' in kind and importlib.util.find_spec('deepspeed') is None:
        return (f'{kind} needs DeepSpeed, which is not installed: pip install '
                "'devias_mm[deepspeed]'.")
    if kind in ('FSDPStrategy', 'DeepSpeedStrategy'):
        if not torch.cuda.is_available():
            return f'{kind} trains on GPUs, and there is none: leave the fragment out.'
        if cfg.get('launcher', 'none') == 'none':
            return f'{kind} needs a launcher: use tools/dist_train.sh or tools/slurm_train.sh.'
    return ''
