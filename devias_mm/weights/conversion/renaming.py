"""From other projects' names to ours and back."""
import re
from typing import Any, Dict, Iterable, List, NamedTuple, Optional

from torch import Tensor

from devias_mm.weights.conversion import reshaping
from devias_mm.weights.conversion.layouts import LAYOUTS, OWN_DROPS, Pairs
from devias_mm.weights.conversion.reshaping import State

SOURCES = (*LAYOUTS, 'ours')
TARGETS = ('ours', 'mmaction2', 'videomae', 'multitask', 'devias')


class Conversion(NamedTuple):
    """Result of a conversion.

    Attributes:
        state_dict (dict): the new names to tensors.
        layout (str): of the source, or the target of :func:`export`.
        renamed (dict): old name to new name.
        dropped (dict): old name to the reason.
        notes (list[str]): what was computed, and arguments of the model that fits.
    """
    state_dict: State
    layout: str
    renamed: Dict[str, str]
    dropped: Dict[str, str]
    notes: List[str]


def unwrap(checkpoint: Dict[str, Any]) -> State:
    """Find the weights in a checkpoint.

    They may lie under ``state_dict``, ``model`` or ``module`` (one in the other, too), in nested
    dicts (``trunk``, ``heads``), and their names may begin with ``module.`` or ``_orig_mod.``.

    Raises:
        ValueError: there is something else beside the weights.
    """
    wrapped = True
    while wrapped:
        wrapped = next((checkpoint[key] for key in ('state_dict', 'model', 'module')
                        if isinstance(checkpoint.get(key), dict)), None)
        checkpoint = wrapped or checkpoint
    state = {re.sub(r'^((module|_orig_mod)\.)+', '', key): value
             for key, value in _flatten(checkpoint)}
    others = [key for key, value in state.items() if not isinstance(value, Tensor)]
    if others or not state:
        raise ValueError('the checkpoint holds no weights under `state_dict`, `model` or `module`'
                         + (f', but {", ".join(others[:5])}' if others else ''))
    return state


def _flatten(content: dict, prefix: str = '') -> Iterable[tuple]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _flatten(value, f'{prefix}{key}.')
        else:
            yield f'{prefix}{key}', value


def detect_kind(state: State) -> str:
    """Tell by its names which layout a state dict has; one of ``SOURCES``.

    Raises:
        ValueError: for names of no known layout.
    """
    def any_starts(*prefixes: str) -> bool:
        return any(key.startswith(prefixes) for key in state)

    if any_starts('agg_block.'):
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
        raise ValueError('an MMAction2 recognizer without a ViT needs no conversion: give it as '
                         "init_cfg=dict(type='Pretrained', checkpoint=...) of FeatureMapTokens")
    patches = state.get('patch_embed.proj.weight')
    if patches is None:
        raise ValueError(f'no known layout ({", ".join(SOURCES)}) has names such as '
                         f'{list(state)[:3]}')
    if patches.dim() == 4:
        return 'mae'
    return 'multitask' if any_starts('cls_token', 'action_token', 'action_head.', 'head_action.') \
        else 'videomae'


def convert(state: State, kind: Optional[str] = None, tubelet: int = 2) -> Conversion:
    """Rename the weights of another project to ours, and reshape what has another shape.

    The published DEVIAS code stores tied slot-attention layers once per iteration. Equal copies
    become the one layer of ``tied=True``; where they differ, all layers are kept, for
    ``tied=False``.

    Args:
        state (dict): names to tensors, see :func:`unwrap`.
        kind (str, optional): one of ``SOURCES``; ``None``: :func:`detect_kind`.
        tubelet (int): frames of a tubelet, for ``mae``. Defaults to 2.

    Returns:
        Conversion: with our names; for ``omnivore`` those of MMAction2,
        which ``FeatureMapTokens`` loads.

    Raises:
        ValueError: for an unknown layout, or a weight that no rule explains.
    """
    state = {re.sub(r'^module\.', '', key): value for key, value in state.items()}
    kind = kind or detect_kind(state)
    if kind not in SOURCES:
        raise ValueError(f'kind must be one of {SOURCES}, got {kind!r}')
    notes: List[str] = []
    dropped: Dict[str, str] = {}
    if kind == 'ours':
        return Conversion(dict(state), kind, {key: key for key in state}, dropped, notes)
    layout = LAYOUTS[kind]
    if kind == 'mae':
        state = reshaping.inflate(state, tubelet, notes)
    elif kind == 'multitask':
        state = reshaping.merge_tokens(state, notes)
    elif kind == 'omnivore':
        state = {re.sub(r'^heads\.video\.(\d+\.)?', 'heads.video.', re.sub(r'^trunk\.', '', key)):
                 value for key, value in state.items()}
        notes.append(reshaping.window(state))
    elif kind == 'devias':
        state = reshaping.merge_tied_layers(state, dropped, notes)
    # the positions of class tokens are not known: such a table is an error
    pairs = [pair for pair in layout.pairs if (kind, pair[0]) != ('multitask', 'pos_embed')]
    if kind not in ('mae', 'multitask'):
        state = reshaping.drop_fixed_positions(state, dropped)
    renamed = _rename(state, pairs, layout.drops, dropped, f'{kind} checkpoint')
    converted = {new: state[old] for old, new in renamed.items()}
    if 'slot_attention.slots' in converted:
        slots = converted['slot_attention.slots']
        converted['slot_attention.slots'] = slots.reshape(1, *slots.shape[-2:])
    if kind != 'omnivore':
        notes += _arguments(converted)
    return Conversion(converted, kind, renamed, dropped, notes)


def export(state: State, target: str, num_iters: Optional[int] = None) -> Conversion:
    """Write our weights in the layout of another project.

    Args:
        state (dict): weights in our names, as :func:`convert` returns them or
            a training saves them.
        target (str): one of ``TARGETS``.
        num_iters (int, optional): slot-attention iterations. Needed for
            ``devias`` where the layers are tied, which the published code
            stores once per iteration.

    Raises:
        ValueError: the layout has no place for a weight, or lacks one.
    """
    if target not in TARGETS:
        raise ValueError(f'target must be one of {TARGETS}, got {target!r}')
    dropped: Dict[str, str] = {}
    state = reshaping.drop_fixed_positions(state, dropped)
    if target == 'ours':
        return Conversion(state, target, {key: key for key in state}, dropped, [])
    if target == 'devias':
        state = reshaping.copy_tied_layers(state, num_iters)
    pairs = [(ours, theirs) for theirs, ours in LAYOUTS[target].pairs]
    renamed = _rename(state, pairs, OWN_DROPS, dropped, f'model in the {target} layout')
    result = {new: state[old] for old, new in renamed.items()}
    if target == 'devias':
        result['agg_block.latents'] = result['agg_block.latents'].flatten(0, 1)
        needed = ('agg_block.layers.0.0.fn.to_out.0.weight', 'agg_block.layers.0.2.norm.weight',
                  'agg_block.last_layer.0.weight', 'head.weight')
        missing = [key for key in needed if key not in result]
        if missing:
            raise ValueError(f'the published DEVIAS network has {", ".join(missing)}, which these '
                             'weights lack: only models of the rows `devias-official` fit it')
    return Conversion(result, target, renamed, dropped, [])


def _rename(keys: Iterable[str], pairs: Pairs, drops: Pairs, dropped: Dict[str, str],
            what: str) -> Dict[str, str]:
    """Old to new names; fills ``dropped``."""
    patterns = []
    for old, new in pairs:
        pattern = re.escape(old).replace(r'\{\}', r'(\d+)')
        patterns.append((re.compile(pattern + ('(weight|bias)' if old.endswith('.') else '')), new))
    renamed, unexplained = {}, []
    for key in keys:
        match, new = next(((match, new) for pattern, new in patterns
                           if (match := pattern.fullmatch(key))), (None, ''))
        reason = next((reason for pattern, reason in drops if re.match(pattern, key)), None)
        if match:
            renamed[key] = new.format(*match.groups())
            renamed[key] += match.groups()[-1] if new.endswith('.') else ''
        elif reason:
            dropped[key] = reason
        else:
            unexplained.append(key)
    if unexplained:
        raise ValueError(f'{len(unexplained)} weights are not known in a {what}: '
                         f'{", ".join(unexplained[:10])}{", ..." * (len(unexplained) > 10)}')
    return renamed


def _arguments(state: State) -> List[str]:
    """What the model that takes these weights must be."""
    blocks = {int(match[1]) for key in state
              if (match := re.match(r'backbone\.blocks\.(\d+)\.', key))}
    patches = state.get('backbone.patch_embed.projection.weight')
    notes = []
    if patches is not None:
        notes.append(f'backbone: embed_dims={len(patches)}, depth={len(blocks)}, '
                     f'tubelet_size={patches.shape[2]}, patch_size={patches.shape[-1]}, '
                     f'final_norm={"backbone.norm.weight" in state}')
    if 'fc_norm.weight' in state:
        notes.append('recognizer: pool_norm=True')
    notes += [f'{name}: {len(state[f"{name}.weight"])} classes'
              for name in ('head', 'action_head', 'scene_head') if f'{name}.weight' in state]
    return notes
