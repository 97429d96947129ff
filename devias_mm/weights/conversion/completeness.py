"""Is a converted checkpoint usable? Every weight is there, of the right shape, and a number.

What a network of some width and depth needs is listed as names and shapes. A size in a shape is
a number, or a letter that stands for one number throughout the file.
"""
from typing import Dict, List, Optional, Tuple, Union

import torch

from devias_mm.errors import CheckpointError, shorten
from devias_mm.weights.conversion.detection import State
from devias_mm.weights.conversion.renaming import Conversion, their_name
from devias_mm.weights.conversion.reshaping import numbers_of

Size = Union[int, str, None]  # None: any
Shapes = Dict[str, Tuple[Size, ...]]
# the ViTs that are published: S and B, L, H
STANDARD_DEPTHS = {384: 12, 768: 12, 1024: 24, 1280: 32}
HEADS = ('head.', 'action_head.', 'scene_head.', 'cls_head.')


def check_complete(result: Conversion, partial: bool = False, heads: bool = True) -> List[str]:
    """Check that a model can be made of converted weights.

    Args:
        result: of :func:`~devias_mm.weights.conversion.renaming.convert`.
        partial: weights may be missing.
        heads: classifiers are wanted.

    Returns:
        list[str]: names of the weights that are missing, in the layout of the source.

    Raises:
        CheckpointError: weights are missing (unless ``partial``), have a wrong shape, are empty,
            integers, NaN or infinite; or nothing is left at all.

    Example::

        check_complete(convert(state), heads=False)
    """
    state = result.state_dict
    names = {new: old for old, new in result.renamed.items()}
    shapes = expected_shapes(state, result.layout)
    if not heads:
        shapes = {name: shape for name, shape in shapes.items() if not name.startswith(HEADS)}
    missing = []
    for name in shapes:
        if name not in state:
            missing.append(_theirs(name, result.layout))
    problems = _bad_values(state, names) + _bad_shapes(state, shapes, names)
    if not state:
        problems.append('no weight is left')
    if missing and not partial:
        problems.insert(0, f'missing weights ({len(missing)}): {shorten(missing, 5)}')
    if not problems:
        return missing
    remedy = ''
    if missing and not partial:
        remedy = ' Take the whole file; --partial accepts what is missing'
        if all('head' in name for name in missing):
            remedy += ', --no-head a file without classifiers'
        remedy += '.'
    raise CheckpointError(f'this {result.layout} checkpoint gives no usable model: '
                          f'{"; ".join(problems)}.{remedy}')


def _theirs(name: str, kind: str) -> str:
    if kind == 'ours':
        return name
    # put together from two weights, or renamed, before the names are read
    if kind == 'multitask' and name.startswith('action_head.'):
        return name.replace('action_head.', 'head.')
    return their_name(name, kind)


def _bad_values(state: State, names: Dict[str, str]) -> List[str]:
    problems = []
    for name, value in state.items():
        shown = names.get(name, name)
        if not value.numel():
            problems.append(f'{shown} is empty, {tuple(value.shape)}')
        elif name.endswith('num_batches_tracked'):
            continue  # a counter
        elif not value.is_floating_point():
            problems.append(f'{shown} holds {value.dtype}, not floating-point numbers')
        elif not torch.isfinite(value).all():
            problems.append(f'{shown} holds NaN or infinite values')
    if len(problems) > 3:
        return [f'weights that are no numbers ({len(problems)}): {shorten(problems)}']
    return problems


def _bad_shapes(state: State, shapes: Shapes, names: Dict[str, str]) -> List[str]:
    sizes: Dict[str, int] = {}
    wrong = []
    for name, wanted in shapes.items():
        if name not in state:
            continue
        shape = tuple(state[name].shape)
        if not _fits(shape, wanted, sizes):
            text = ', '.join(_show(size, sizes) for size in wanted)
            wrong.append(f'{names.get(name, name)} is {shape}, not ({text})')
    if not wrong:
        return []
    return [f'weights of a wrong shape ({len(wrong)}): {shorten(wrong)}']


def _fits(shape: Tuple[int, ...], wanted: Tuple[Size, ...], sizes: Dict[str, int]) -> bool:
    """Compare a shape; letters that are met for the first time take the number they meet."""
    if len(shape) != len(wanted):
        return False
    met = {}
    for have, size in zip(shape, wanted):
        if isinstance(size, str):
            size = sizes.get(size) or met.setdefault(size, have)
        if size is not None and size != have:
            return False
    sizes.update(met)
    return True


def _show(size: Size, sizes: Dict[str, int]) -> str:
    if isinstance(size, str):
        size = sizes.get(size)
    return 'any' if size is None else str(size)


def expected_shapes(state: State, kind: str) -> Shapes:
    """List the weights, in our names, that a network of a layout needs.

    Args:
        state: in our names; tells the width, the number of blocks and what is optional.
        kind: the layout that the weights come from; of ``ours`` nothing is expected, as only the
            config knows the model.
    """
    if kind == 'ours':
        return {}
    if kind == 'omnivore':
        return {**_swin(state), **_linear('cls_head.fc_cls', 'classes', None)}
    width = _width(state, 'backbone.patch_embed.projection.weight')
    shapes = _vit(state, width)
    if 'fc_norm.weight' in state or 'fc_norm.bias' in state:
        shapes.update(_norm('fc_norm', width))
    else:
        shapes.update(_norm('backbone.norm', width))
    if kind == 'devias':
        shapes.update(_slot_attention(state, width))
        shapes.update(_mask_decoder(state, width))
    if kind == 'multitask':
        shapes['backbone.extra_tokens'] = (1, None, width)
    if kind in ('mae', 'videomae_pretrain'):
        return shapes  # trained without classes, or with any
    heads = ['head']
    if any(name.startswith('scene_head.') for name in state):
        heads = ['action_head', 'scene_head']
    for head in heads:
        shapes.update(_linear(head, f'classes of {head}', width))
    return shapes


def _width(state: State, name: str) -> Optional[int]:
    """Return the number of outputs of a weight; ``None`` where it is missing or empty."""
    weight = state.get(name)
    if weight is None or not weight.dim():
        return None
    return len(weight)


def _times(factor: int, width: Optional[int]) -> Optional[int]:
    if width is None:
        return None
    return factor * width


def _linear(name: str, outputs: Size, inputs: Size) -> Shapes:
    return {f'{name}.weight': (outputs, inputs), f'{name}.bias': (outputs, )}


def _norm(name: str, width: Size) -> Shapes:
    return {f'{name}.weight': (width, ), f'{name}.bias': (width, )}


def _vit(state: State, width: Optional[int]) -> Shapes:
    patches = 'backbone.patch_embed.projection'
    shapes: Shapes = {f'{patches}.weight': (width, 3, 'tubelet', 'patch', 'patch'),
                      f'{patches}.bias': (width, )}
    blocks = numbers_of(state, r'backbone\.blocks\.(\d+)\.')
    # of other widths nobody knows the depth: the blocks must have no gap
    depth = max(max(blocks, default=0) + 1, STANDARD_DEPTHS.get(width, 1))
    vectors = []
    for names in (('attn.q_bias', 'attn.v_bias'), ('gamma_1', 'gamma_2')):
        if any(name.endswith(names) for name in state):
            vectors += names
    for i in range(depth):
        block = f'backbone.blocks.{i}'
        shapes[f'{block}.attn.qkv.weight'] = (_times(3, width), width)
        shapes.update(_norm(f'{block}.norm1', width))
        shapes.update(_norm(f'{block}.norm2', width))
        shapes.update(_linear(f'{block}.attn.proj', width, width))
        shapes.update(_linear(f'{block}.mlp.layers.0.0', 'hidden', width))
        shapes.update(_linear(f'{block}.mlp.layers.1', width, 'hidden'))
        for name in vectors:
            shapes[f'{block}.{name}'] = (width, )
    return shapes


def _slot_attention(state: State, width: Optional[int]) -> Shapes:
    shapes: Shapes = {'slot_attention.slots': (1, None, width)}
    layers = numbers_of(state, r'slot_attention\.layers\.(\d+)\.')
    for i in range(max(layers, default=0) + 1):
        layer = f'slot_attention.layers.{i}'
        for name in ('to_q', 'to_k', 'to_v'):
            shapes[f'{layer}.{name}.weight'] = ('heads', width)
        shapes.update(_linear(f'{layer}.out_proj', width, 'heads'))
        for name in ('norm_slots', 'norm_tokens', 'norm_mlp'):
            shapes.update(_norm(f'{layer}.{name}', width))
        shapes.update(_linear(f'{layer}.mlp.0', 'hidden of slots', width))
        shapes.update(_linear(f'{layer}.mlp.2', width, 'hidden of slots'))
    shapes.update(_norm('slot_attention.final_norm', width))
    return shapes


def _mask_decoder(state: State, width: Optional[int]) -> Shapes:
    """List its linear layers, 0, 2, 4: between them are activations."""
    last = max(numbers_of(state, r'mask_decoder\.layers\.(\d+)\.'), default=4)
    shapes: Shapes = {}
    inputs: Size = width
    for i in range(0, max(last, 4) + 1, 2):
        outputs = f'mask {i}'
        shapes.update(_linear(f'mask_decoder.layers.{i}', outputs, inputs))
        inputs = outputs
    return shapes


def _swin(state: State) -> Shapes:
    patches = 'backbone.patch_embed'
    width = _width(state, f'{patches}.proj.weight')
    shapes: Shapes = {f'{patches}.proj.weight': (width, 3, None, None, None),
                      f'{patches}.proj.bias': (width, )}
    if any(name.startswith(f'{patches}.norm.') for name in state):
        shapes.update(_norm(f'{patches}.norm', width))
    stages = max(numbers_of(state, r'backbone\.layers\.(\d+)\.'), default=0) + 1
    for i in range(max(stages, 4)):
        stage = f'backbone.layers.{i}'
        blocks = numbers_of(state, rf'backbone\.layers\.{i}\.blocks\.(\d+)\.')
        for j in range(max(blocks, default=0) + 1):
            shapes.update(_swin_block(f'{stage}.blocks.{j}', width, f'hidden {i}'))
        if i < max(stages, 4) - 1:
            shapes.update(_norm(f'{stage}.downsample.norm', _times(4, width)))
            shapes[f'{stage}.downsample.reduction.weight'] = (_times(2, width), _times(4, width))
            width = _times(2, width)
    shapes.update(_norm('backbone.norm3', width))
    return shapes


def _swin_block(block: str, width: Optional[int], hidden: str) -> Shapes:
    shapes: Shapes = {}
    shapes.update(_norm(f'{block}.norm1', width))
    shapes.update(_norm(f'{block}.norm2', width))
    shapes.update(_linear(f'{block}.attn.qkv', _times(3, width), width))
    shapes.update(_linear(f'{block}.attn.proj', width, width))
    shapes[f'{block}.attn.relative_position_bias_table'] = ('offsets', None)
    shapes.update(_linear(f'{block}.mlp.fc1', hidden, width))
    shapes.update(_linear(f'{block}.mlp.fc2', width, hidden))
    return shapes
