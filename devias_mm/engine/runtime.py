"""Mixed precision without a loss scaler, and MMEngine's training strategies."""
import importlib.util
from contextlib import contextmanager
from typing import Iterator

import torch
from mmaction.registry import OPTIM_WRAPPERS
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from mmengine.registry import FUNCTIONS
from torch import nn
from torch.distributed.fsdp.wrap import size_based_auto_wrap_policy

from devias_mm.layers.slot_attention import SlotAttentionLayer


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


@FUNCTIONS.register_module()
def whole_layers_policy(module: nn.Module, recurse: bool, nonwrapped_numel: int,
                        min_num_params: int) -> bool:
    """Tell what FSDP shards as a unit: torch's policy by size, without three kinds of modules.

    The weights of a unit are there only while its ``forward`` runs. The attention of a ViT
    block and slot attention read weights of their parts without calling those, so that a
    linear layer and an iteration of slot attention are no units, but the block and the whole
    slot attention are. Of a recognizer within another (teacher, trained encoder) other methods
    than ``forward`` are called.

    Args:
        module (nn.Module): the candidate.
        recurse (bool): the question is whether to look at its parts.
        nonwrapped_numel (int): weights in it that belong to no unit yet.
        min_num_params (int): smallest size of a unit.
    """
    default = size_based_auto_wrap_policy
    return default(module, recurse, nonwrapped_numel, min_num_params, exclude_wrap_modules={
        *default.EXCLUDE_WRAP_MODULES, nn.Linear, SlotAttentionLayer, BaseModel})


def strategy_problem(cfg: Config) -> str:
    """Return the reason why the strategy of a config cannot train here.

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
    taken = {}
    if 'DeepSpeed' in kind:
        taken = {'clip_grad': 'gradient_clipping',
                 'accumulative_counts': 'gradient_accumulation_steps'}
    for key, own in taken.items():
        if key in cfg.get('optim_wrapper', {}):
            return (f'DeepSpeedOptimWrapper takes no `{key}`: say strategy = dict({own}=...), and '
                    'optim_wrapper = dict(_delete_=True, ...) without it.')
    if kind in ('FSDPStrategy', 'DeepSpeedStrategy'):
        if not torch.cuda.is_available():
            return f'{kind} trains on GPUs, and there is none: leave the fragment out.'
        if cfg.get('launcher', 'none') == 'none':
            return f'{kind} needs a launcher: use tools/dist_train.sh or tools/slurm_train.sh.'
    return ''
