"""From other projects' names to ours and back."""
import re
from typing import Dict, Iterable, List, NamedTuple, Optional

from devias_mm.errors import CheckpointError, shorten
from devias_mm.weights.conversion import reshaping
from devias_mm.weights.conversion.detection import State, detect_kind
from devias_mm.weights.layouts import LAYOUTS, OWN_DROPS, SOURCES, TARGETS, Pairs


class Conversion(NamedTuple):
    """Result of a conversion.

    Attributes:
        state_dict: the new names to tensors.
        layout: of the source, or the target of :func:`export`.
        renamed: old name to new name.
        dropped: old name to the reason.
        notes: what was computed, and arguments of the model that fits.
    """
    state_dict: State
    layout: str
    renamed: Dict[str, str]
    dropped: Dict[str, str]
    notes: List[str]


def convert(state: State, kind: Optional[str] = None, tubelet: int = 2) -> Conversion:
    """Rename the weights of another project to ours, and reshape what has another shape.

    The published DEVIAS code stores tied slot-attention layers once per iteration. Equal copies
    become the one layer of ``tied=True``; where they differ, all layers are kept, for
    ``tied=False``.

    Args:
        state: names to tensors, see :func:`unwrap`.
        kind: one of ``SOURCES``; ``None``: :func:`detect_kind`.
        tubelet: frames of a tubelet, for ``mae``.

    Returns:
        Conversion: with our names; for ``omnivore`` those of MMAction2, which
        ``FeatureMapTokens`` loads. Whether it is complete, :func:`check_complete` tells.

    Raises:
        CheckpointError: for an unknown layout, or a weight that no rule explains.

    Example::

        state = unwrap(load_checkpoint_file('official.pth'))
        torch.save(dict(state_dict=convert(state).state_dict), 'ours.pth')
    """
    state = {re.sub(r'^module\.', '', key): value for key, value in state.items()}
    kind = kind or detect_kind(state)
    if kind not in SOURCES:
        raise CheckpointError(f'kind must be one of {SOURCES}, got {kind!r}')
    notes: List[str] = []
    dropped: Dict[str, str] = {}
    if kind == 'ours':
        return Conversion(dict(state), kind, {key: key for key in state}, dropped, notes)
    if kind == 'mae':
        state = reshaping.inflate(state, tubelet, notes)
    elif kind == 'multitask':
        state = reshaping.merge_tokens(state, notes)
    elif kind == 'omnivore':
        state = reshaping.name_swin(state, notes)
    elif kind == 'devias':
        state = reshaping.merge_tied_layers(state, dropped, notes)
    if kind != 'mae':  # whose table is of an image, and dropped
        state = reshaping.drop_fixed_positions(state, dropped)
    layout = LAYOUTS[kind]
    renamed = _rename(state, layout.pairs, layout.drops, dropped, f'{kind} checkpoint')
    converted = {new: state[old] for old, new in renamed.items()}
    slots = converted.get('slot_attention.slots')
    if slots is not None and slots.dim() == 2:
        converted['slot_attention.slots'] = slots.unsqueeze(0)
    if kind != 'omnivore':
        notes += _arguments(converted)
    return Conversion(converted, kind, renamed, dropped, notes)


def export(state: State, target: str, num_iters: Optional[int] = None) -> Conversion:
    """Write our weights in the layout of another project.

    Args:
        state: weights in our names, as :func:`convert` returns them or a training saves them.
        target: one of ``TARGETS``.
        num_iters: slot-attention iterations. Needed for ``devias`` where the layers are tied,
            which the published code stores once per iteration.

    Raises:
        CheckpointError: the layout has no place for a weight, or lacks one.
    """
    if target not in TARGETS:
        raise CheckpointError(f'target must be one of {TARGETS}, got {target!r}')
    dropped: Dict[str, str] = {}
    state = reshaping.drop_fixed_positions(state, dropped)
    if target == 'ours':
        return Conversion(state, target, {key: key for key in state}, dropped, [])
    if target == 'devias':
        state = reshaping.copy_tied_layers(state, num_iters)
    pairs = _inverse(LAYOUTS[target].pairs)
    renamed = _rename(state, pairs, OWN_DROPS, dropped, f'model in the {target} layout')
    result = {new: state[old] for old, new in renamed.items()}
    if target == 'devias':
        _check_published_slots(result)
        result['agg_block.latents'] = result['agg_block.latents'].flatten(0, 1)
    return Conversion(result, target, renamed, dropped, [])


def _check_published_slots(state: State) -> None:
    needed = ('agg_block.latents', 'agg_block.layers.0.0.fn.to_out.0.weight',
              'agg_block.layers.0.2.norm.weight', 'agg_block.last_layer.0.weight', 'head.weight')
    missing = [key for key in needed if key not in state]
    if missing:
        raise CheckpointError(
            f'the published DEVIAS network has {", ".join(missing)}, which these weights lack: '
            'only a slot attention with out_proj, mlp_norm and final_norm fits it')


def their_name(name: str, kind: str) -> str:
    """Return the name that a layout has for one of our weights; ours where it has none."""
    for pattern, theirs in _patterns(_inverse(LAYOUTS[kind].pairs)):
        match = pattern.fullmatch(name)
        if match:
            return _fill(theirs, match)
    return name


def _inverse(pairs: Pairs) -> Pairs:
    return [(ours, theirs) for theirs, ours in pairs]


def _patterns(pairs: Pairs) -> list:
    """Return (regular expression of the old name, new name) of each pair."""
    patterns = []
    for old, new in pairs:
        pattern = re.escape(old).replace(r'\{\}', r'(\d+)')
        if old.endswith('.'):
            pattern += '(weight|bias)'
        patterns.append((re.compile(pattern), new))
    return patterns


def _fill(name: str, match: re.Match) -> str:
    """Put the numbers, and ``weight`` or ``bias``, into a name of a pair."""
    filled = name.format(*match.groups())
    if name.endswith('.'):
        filled += match.groups()[-1]
    return filled


def _rename(keys: Iterable[str], pairs: Pairs, drops: Pairs, dropped: Dict[str, str],
            what: str) -> Dict[str, str]:
    """Return old to new names; fill ``dropped``."""
    patterns = _patterns(pairs)
    renamed: Dict[str, str] = {}
    unexplained = []
    for key in keys:
        new = _new_name(key, patterns)
        reason = _reason_to_drop(key, drops)
        if new is not None:
            renamed[key] = new
        elif reason is not None:
            dropped[key] = reason
        else:
            unexplained.append(key)
    if unexplained:
        raise CheckpointError(f'{len(unexplained)} weights are not known in a {what}: '
                              f'{shorten(unexplained, 10)}')
    return renamed


def _new_name(key: str, patterns: list) -> Optional[str]:
    for pattern, new in patterns:
        match = pattern.fullmatch(key)
        if match:
            return _fill(new, match)
    return None


def _reason_to_drop(key: str, drops: Pairs) -> Optional[str]:
    for pattern, reason in drops:
        if re.match(pattern, key):
            return reason
    return None


def _arguments(state: State) -> List[str]:
    """Tell the arguments of the model that takes these weights."""
    notes = []
    blocks = reshaping.numbers_of(state, r'backbone\.blocks\.(\d+)\.')
    patches = state.get('backbone.patch_embed.projection.weight')
    if patches is not None and patches.dim() == 5:
        notes.append(f'backbone: embed_dims={len(patches)}, depth={len(blocks)}, '
                     f'tubelet_size={patches.shape[2]}, patch_size={patches.shape[-1]}, '
                     f'final_norm={"backbone.norm.weight" in state}')
    tokens = state.get('backbone.extra_tokens')
    if tokens is not None:
        notes.append(f'backbone: num_extra_tokens={tokens.shape[1]}')
    if 'fc_norm.weight' in state:
        notes.append('recognizer: pool_norm=True')
    for name in ('head', 'action_head', 'scene_head'):
        weight = state.get(f'{name}.weight')
        if weight is not None:
            notes.append(f'{name}: {len(weight)} classes')
    return notes
