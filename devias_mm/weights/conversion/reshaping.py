"""What differs between checkpoints by more than a name.

The functions take a state dict in the names of its layout (:mod:`devias_mm.weights.layouts`) and
return a new one; they add to ``dropped`` {name: reason} and to ``notes``.
"""
import re
from typing import Dict, List, Optional, Set

import torch
from torch import Tensor

from devias_mm import compat
from devias_mm.errors import CheckpointError

State = Dict[str, Tensor]
SLOT_LAYER = r'agg_block\.layers\.(\d+)\.'


def numbers_of(state: State, pattern: str) -> Set[int]:
    """Return the numbers that a regular expression finds at the beginning of names."""
    numbers = set()
    for key in state:
        match = re.match(pattern, key)
        if match:
            numbers.add(int(match.group(1)))
    return numbers


def drop_fixed_positions(state: State, dropped: Dict[str, str]) -> State:
    """Leave position tables out that equal the sine-cosine table; learned ones stay."""
    result = {}
    for key, value in state.items():
        if key.endswith('pos_embed') and _is_own_table(key) and _is_sinusoid(value):
            dropped[key] = 'the fixed sine-cosine table, made anew'
        else:
            result[key] = value
    return result


def _is_own_table(key: str) -> bool:
    return 'decoder' not in key and not key.startswith('scene_teacher.')


def _is_sinusoid(table: Tensor) -> bool:
    compat.apply()  # before MMAction2's models are imported
    from mmaction.models.backbones.vit_mae import get_sinusoid_encoding
    if table.dim() != 3 or len(table) != 1 or not table.numel():
        return False
    return torch.allclose(table.float(), get_sinusoid_encoding(*table.shape[1:]), atol=1e-4)


def inflate(state: State, tubelet: int, notes: List[str]) -> State:
    """Turn image patches into tubelets, and take the fused bias apart.

    The kernel is repeated over the frames of a tubelet and divided by their number, so a clip
    that stands still gets the patch embedding of its frame.
    """
    result = {}
    for key, value in state.items():
        if re.fullmatch(r'blocks\.\d+\.attn\.qkv\.bias', key):
            if value.dim() != 1 or len(value) % 3:
                raise CheckpointError(f'{key} has the shape {tuple(value.shape)}, which is no '
                                      'bias of queries, keys and values')
            stem = key[:-len('qkv.bias')]
            for name, part in zip('qkv', value.chunk(3)):
                result[f'{stem}{name}_bias'] = part.clone()
            notes.append(f'{key}: split into q_bias, k_bias and v_bias')
            continue
        if key == 'patch_embed.proj.weight' and value.dim() == 4:
            value = value.unsqueeze(2).repeat(1, 1, tubelet, 1, 1) / tubelet
            notes.append(f'{key}: image patches inflated to tubelets of {tubelet} frames')
        result[key] = value
    return result


def merge_tokens(state: State, notes: List[str]) -> State:
    """Join the class tokens of the published multi-task model, and tell its heads apart.

    ``cls_token`` (action) and ``scene_token`` become one ``cls_token`` of two rows. Where there
    is a ``scene_head``, ``head`` is that of the actions; alone, it is the unified one.
    """
    result = dict(state)
    if 'cls_token' not in result:
        raise CheckpointError('a multitask checkpoint needs cls_token, and scene_token where it '
                              'has two tokens')
    if 'scene_token' in result:
        tokens = [result.pop('cls_token'), result.pop('scene_token')]
        for token in tokens:
            if token.dim() != 3 or token.shape[:2] != (1, 1) or token.shape != tokens[0].shape:
                raise CheckpointError(f'a class token has the shape {tuple(token.shape)}, not '
                                      '(1, 1, width)')
        result['cls_token'] = torch.cat(tokens, dim=1)
        notes.append('cls_token, scene_token: rows 0 and 1 of backbone.extra_tokens')
    if not any(key.startswith('scene_head.') for key in result):
        return result
    notes.append('head: the classifier of the actions, beside scene_head')
    return {re.sub(r'^head\.', 'action_head.', key): value for key, value in result.items()}


def merge_tied_layers(state: State, dropped: Dict[str, str], notes: List[str]) -> State:
    """Keep the first of equal slot-attention layers."""
    layers = numbers_of(state, SLOT_LAYER)
    iterations = max(layers, default=0) + 1
    first = 'agg_block.layers.0.'
    parts = [key[len(first):] for key in state if key.startswith(first)]
    copies = []
    for i in range(1, iterations):
        copies += [f'agg_block.layers.{i}.{part}' for part in parts]
    tied = bool(parts) and all(_equals_first_layer(state, key) for key in copies)
    notes.append(f'slot_attention: num_iters={iterations}, tied={tied}')
    if not tied:
        return state
    for key in copies:
        dropped[key] = 'a copy of the tied layer 0'
    return {key: value for key, value in state.items() if key not in dropped}


def _equals_first_layer(state: State, key: str) -> bool:
    first = state[re.sub(r'layers\.\d+', 'layers.0', key)]
    return key in state and state[key].shape == first.shape and state[key].equal(first)


def copy_tied_layers(state: State, num_iters: Optional[int]) -> State:
    """Store a single slot-attention layer once per iteration."""
    layers = numbers_of(state, r'slot_attention\.layers\.(\d+)\.')
    if not layers:
        raise CheckpointError('there are no slot-attention weights: this is no DEVIAS model')
    if len(layers) > 1 and num_iters not in (None, len(layers)):
        raise CheckpointError(f'num_iters is {num_iters}, but the model has {len(layers)} layers')
    if len(layers) > 1:
        return dict(state)
    if num_iters is None:
        raise CheckpointError('the slot-attention layers are tied: give num_iters (--num-iters), '
                              'the iterations of the model, as the published code stores a layer '
                              'for each')
    result = dict(state)
    for key, value in state.items():
        if key.startswith('slot_attention.layers.0.'):
            for i in range(1, num_iters):
                result[key.replace('layers.0.', f'layers.{i}.', 1)] = value
    return result


def name_swin(state: State, notes: List[str]) -> State:
    """Take the prefixes of Omnivore's trunk and of its video head off."""
    result = {}
    for key, value in state.items():
        key = re.sub(r'^trunk\.', '', key)
        result[re.sub(r'^heads\.video\.(\d+\.)?', 'heads.video.', key)] = value
    notes.append(_window(result))
    return result


def _window(state: State) -> str:
    """Tell the window of a Video Swin, from the size of its relative position table."""
    table = state.get('layers.0.blocks.0.attn.relative_position_bias_table')
    if table is None:
        return 'no relative position table: this is no Swin'
    times, rest = divmod(len(table), 13 * 13)  # (2 x 7 - 1)^2 offsets in a 7 x 7 window
    if rest or not times % 2:
        return f'window_size of the backbone: not (t, 7, 7), as its table has {len(table)} rows'
    return f'backbone: window_size=({(times + 1) // 2}, 7, 7)'
