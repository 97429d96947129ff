"""Layer-wise learning-rate decay for token recognizers."""
from typing import Dict, List, Optional, Tuple

from mmaction.registry import OPTIM_WRAPPER_CONSTRUCTORS
from mmengine.logging import print_log
from mmengine.optim import DefaultOptimWrapperConstructor
from torch import nn


def layer_of(name: str, num_layers: int) -> int:
    """Return the depth of a parameter of a recognizer with a ViT backbone.

    Args:
        name: as in ``recognizer.named_parameters()``.
        num_layers: blocks of the backbone.

    Returns:
        int: 0 for the embeddings, ``i + 1`` for block ``i``, ``num_layers + 1`` for everything
        after the blocks.
    """
    if name.startswith('backbone.blocks.'):
        return int(name.split('.')[2]) + 1
    if name.startswith(('backbone.patch_embed.', 'backbone.pos_embed', 'backbone.extra_tokens')):
        return 0
    return num_layers + 1


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class LayerDecayOptimWrapperConstructor(DefaultOptimWrapperConstructor):
    """Learning rate ``lr * decay_rate^(num_layers + 1 - layer)`` (BEiT).

    MMAction2's ``LearningRateDecayOptimizerConstructor`` decides by the
    backbone's class name; this one takes any backbone with ``blocks``, leaves
    frozen parameters (a scene teacher) out and can slow parts down. Vectors,
    biases, position tables and extra tokens get no weight decay.

    ``paramwise_cfg``:

    - ``decay_rate`` (float): in (0, 1]; 1 is no decay.
    - ``lr_mult`` (dict, optional): further factors by prefix of the parameter
      name, such as ``{'slot_attention': 0.1}`` (DEVIAS Table 22).

    Raises:
        ValueError: for unknown keys, a bad rate, a backbone without ``blocks``, or a
            prefix of ``lr_mult`` that no parameter has.

    Example::

        optim_wrapper = dict(
            constructor='LayerDecayOptimWrapperConstructor',
            paramwise_cfg=dict(decay_rate=0.75, lr_mult={'slot_attention': 0.1}),
            optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05))
    """

    def _validate_cfg(self) -> None:
        # here and not in `add_params`, which is skipped when `paramwise_cfg` is empty
        unknown = set(self.paramwise_cfg) - {'decay_rate', 'lr_mult'}
        rate = self.paramwise_cfg.get('decay_rate')
        if unknown or rate is None or not 0 < rate <= 1:
            raise ValueError('paramwise_cfg of LayerDecayOptimWrapperConstructor takes decay_rate '
                             f'in (0, 1] and lr_mult, got {dict(self.paramwise_cfg)}')
        if self.base_wd is None:
            raise ValueError('LayerDecayOptimWrapperConstructor needs weight_decay in the '
                             'optimizer')

    def add_params(self, params: List[dict], module: nn.Module, **kwargs) -> None:
        """Add one group per layer and kind of weight decay to ``params``."""
        rate = self.paramwise_cfg['decay_rate']
        blocks = getattr(module.backbone, 'blocks', None)
        if blocks is None:
            raise ValueError(f'the backbone {type(module.backbone).__name__} has no `blocks` to '
                             'decay the learning rate over: use the default constructor')
        lr_mult = dict(self.paramwise_cfg.get('lr_mult', {}))
        unused = set(lr_mult)
        groups: Dict[Tuple[float, float], dict] = {}
        for name, param in module.named_parameters():
            if not param.requires_grad:
                continue
            scale = rate**(len(blocks) + 1 - layer_of(name, len(blocks)))
            prefix = _prefix_of(name, lr_mult)
            if prefix is not None:
                unused.discard(prefix)
                scale *= lr_mult[prefix]
            decay = self.base_wd
            if param.dim() <= 1 or name.endswith(('pos_embed', 'extra_tokens')):
                decay = 0.0
            if (scale, decay) not in groups:
                groups[scale, decay] = dict(
                    params=[], lr=self.base_lr * scale, weight_decay=decay)
            groups[scale, decay]['params'].append(param)
        if unused:
            raise ValueError(f'no trained parameter starts with {sorted(unused)} (lr_mult)')
        params.extend(groups.values())
        scales = [scale for scale, _ in groups]
        print_log(f'layer-wise learning rates: {len(groups)} groups, {min(scales):.3g} to '
                  f'{max(scales):.3g} x the base rate', logger='current')


def _prefix_of(name: str, prefixes: Dict[str, float]) -> Optional[str]:
    for prefix in prefixes:
        if name.startswith(prefix):
            return prefix
    return None
