"""Where the weights are in a checkpoint, and which layout their names belong to."""
import re
from typing import Any, Dict, Iterator, Tuple

from torch import Tensor

from devias_mm.errors import CheckpointError, shorten
from devias_mm.weights.layouts import SOURCES

State = Dict[str, Tensor]


def unwrap(checkpoint: Dict[str, Any]) -> State:
    """Find the weights in a checkpoint.

    They may be under ``state_dict``, ``model`` or ``module`` (one in the other, too), in nested
    dicts (``trunk``, ``heads``), and their names may begin with ``module.`` or ``_orig_mod.``.

    Raises:
        CheckpointError: there is something else beside the weights, or no weight at all.
    """
    while (inner := _inner(checkpoint)) is not None:
        checkpoint = inner
    state = {}
    for key, value in _flatten(checkpoint):
        state[re.sub(r'^((module|_orig_mod)\.)+', '', key)] = value
    others = [key for key, value in state.items() if not isinstance(value, Tensor)]
    if others or not state:
        text = 'the checkpoint holds no weights under `state_dict`, `model` or `module`'
        if others:
            text += f', but {shorten(others, 5)}'
        raise CheckpointError(text)
    return state


def _inner(checkpoint: Dict[str, Any]) -> Any:
    for key in ('state_dict', 'model', 'module'):
        if isinstance(checkpoint.get(key), dict):
            return checkpoint[key]
    return None


def _flatten(content: dict, prefix: str = '') -> Iterator[Tuple[str, Any]]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _flatten(value, f'{prefix}{key}.')
        else:
            yield f'{prefix}{key}', value


def detect_kind(state: State) -> str:
    """Return the layout that the names in a state dict belong to, one of ``SOURCES``.

    Raises:
        CheckpointError: the names belong to no known layout.
    """
    def any_starts(*prefixes: str) -> bool:
        return any(key.startswith(prefixes) for key in state)

    if any_starts('agg_block.', 'mask_predictor.'):
        return 'devias'
    if any_starts('trunk.') or 'layers.0.blocks.0.attn.relative_position_bias_table' in state:
        return 'omnivore'
    if any_starts('encoder.blocks.'):
        return 'videomae_pretrain'
    if any_starts('backbone.blocks.'):
        own = any_starts('slot_attention.', 'mask_decoder.', 'fc_norm.', 'head.', 'action_head.',
                         'scene_head.', 'backbone.extra_tokens', 'scene_teacher.')
        return 'ours' if own else 'mmaction2'
    if any_starts('backbone.'):
        raise CheckpointError(
            'an MMAction2 recognizer without a ViT needs no conversion: give it as '
            "init_cfg=dict(type='Pretrained', checkpoint=...) of FeatureMapTokens")
    patches = state.get('patch_embed.proj.weight')
    if patches is None and not any_starts('blocks.'):
        raise CheckpointError(f'no known layout ({", ".join(SOURCES)}) has names such as '
                              f'{shorten(state)}')
    if patches is not None and patches.dim() == 4:
        return 'mae'
    if any_starts('cls_token', 'scene_token'):
        return 'multitask'
    return 'videomae'
