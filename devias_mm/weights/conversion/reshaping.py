"""What differs between checkpoints by more than a name.

The functions take a state dict in the names of its layout (:mod:`.layouts`) and return a new
one; ``dropped`` {name: reason} and ``notes`` are added to.
"""
import re
from typing import Dict, List, Optional

import torch
from mmaction.models.backbones.vit_mae import get_sinusoid_encoding
from torch import Tensor

State = Dict[str, Tensor]


def drop_fixed_positions(state: State, dropped: Dict[str, str]) -> State:
    """Leave position tables out that equal the sine-cosine table; learned ones stay."""
    result = dict(state)
    for key in [key for key in state if key.endswith('pos_embed') and 'decoder' not in key
                and not key.startswith('scene_teacher.')]:
        table = state[key]
        if table.dim() == 3 and torch.allclose(
                table.float(), get_sinusoid_encoding(*table.shape[1:]), atol=1e-4):
            dropped[key] = 'the fixed sine-cosine table, made anew'
            del result[key]
    return result


def inflate(state: State, tubelet: int, notes: List[str]) -> State:
    """Image patches become tubelets; the fused bias is taken apart.

    The kernel is repeated over the frames of a tubelet and divided by their number, so a clip
    that stands still gets the patch embedding of its frame.
    """
    result = {}
    for key, value in state.items():
        if key == 'patch_embed.proj.weight' and value.dim() == 4:
            value = value.unsqueeze(2).repeat(1, 1, tubelet, 1, 1) / tubelet
            notes.append(f'{key}: image patches inflated to tubelets of {tubelet} frames')
        if re.fullmatch(r'blocks\.\d+\.attn\.qkv\.bias', key):
            stem = key[:-len('qkv.bias')]
            for name, part in zip('qkv', value.chunk(3)):
                result[f'{stem}{name}_bias'] = part.clone()
            notes.append(f'{key}: split into q_bias, k_bias and v_bias')
        else:
            result[key] = value
    return result


def merge_tokens(state: State, notes: List[str]) -> State:
    """``action_token`` and ``scene_token`` become one ``cls_token`` of two rows."""
    result = {re.sub(r'^head_(action|scene)\.', r'\1_head.', key): value
              for key, value in state.items()}
    if {'action_token', 'scene_token'} <= set(result):
        tokens = [result.pop(f'{task}_token').reshape(1, 1, -1) for task in ('action', 'scene')]
        result['cls_token'] = torch.cat(tokens, dim=1)
        notes.append('action_token, scene_token: rows 0 and 1 of backbone.extra_tokens')
    if 'cls_token' not in result:
        raise ValueError('a multitask checkpoint needs cls_token, or action_token and scene_token')
    return result


def merge_tied_layers(state: State, dropped: Dict[str, str], notes: List[str]) -> State:
    """Keep the first of equal slot-attention layers."""
    pattern = re.compile(r'agg_block\.layers\.(\d+)\.(.+)')
    matches = {key: match for key in state if (match := pattern.fullmatch(key))}
    iterations = 1 + max((int(match[1]) for match in matches.values()), default=0)
    first = 'agg_block.layers.0.'
    tied = iterations > 1 and all(
        first + match[2] in state and state[key].equal(state[first + match[2]])
        for key, match in matches.items())
    notes.append(f'slot_attention: num_iters={iterations}, tied={tied or iterations == 1}')
    if tied:
        copies = [key for key, match in matches.items() if match[1] != '0']
        dropped.update((key, 'a copy of the tied layer 0') for key in copies)
        state = {key: value for key, value in state.items() if key not in dropped}
    return state


def copy_tied_layers(state: State, num_iters: Optional[int]) -> State:
    """Store a single slot-attention layer once per iteration."""
    layers = {int(match[1]) for key in state
              if (match := re.match(r'slot_attention\.layers\.(\d+)\.', key))}
    if not layers:
        raise ValueError('there are no slot-attention weights: this is no DEVIAS model')
    if len(layers) == 1 and num_iters is None:
        raise ValueError('the slot-attention layers are tied: give num_iters (--num-iters), the '
                         'iterations of the model, as the published code stores a layer for each')
    if len(layers) > 1 and num_iters not in (None, len(layers)):
        raise ValueError(f'num_iters is {num_iters}, but the model has {len(layers)} layers')
    result = dict(state)
    for key in state:
        if len(layers) == 1 and key.startswith('slot_attention.layers.0.'):
            for i in range(1, num_iters):
                result[key.replace('layers.0.', f'layers.{i}.', 1)] = state[key]
    return result


def window(state: State) -> str:
    """The window of a Video Swin, from the size of its relative position table."""
    table = state.get('layers.0.blocks.0.attn.relative_position_bias_table')
    if table is None:
        return 'no relative position table: this is no Swin'
    times, rest = divmod(len(table), 13 * 13)  # (2 x 7 - 1)^2 offsets in a 7 x 7 window
    if rest or not times % 2:
        return f'window_size of the backbone: not (t, 7, 7), as its table has {len(table)} rows'
    return f'backbone: window_size=({(times + 1) // 2}, 7, 7)'
