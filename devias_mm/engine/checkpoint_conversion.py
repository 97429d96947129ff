"""Names of the same weights in other projects' checkpoints.

Layouts, told apart by their keys:

- ``devias``: the published DEVIAS code (``agg_block.``, ``mask_predictor.``);
- ``videomae``: VideoMAE's fine-tuned models and ViT scene models of the same form;
- ``videomae_pretrain``: VideoMAE's pre-training, whose encoder stands under ``encoder.``;
- ``mmaction2``: MMAction2's ``VisionTransformer`` recognizers.
"""
import re
from collections import OrderedDict
from typing import Dict, List, NamedTuple, Optional, Tuple

from torch import Tensor

Rules = List[Tuple[str, Optional[str]]]

_VIT: Rules = [
    (r'patch_embed\.proj\.', 'backbone.patch_embed.projection.'),
    (r'(blocks\.\d+\.)mlp\.fc1\.', r'backbone.\1mlp.layers.0.0.'),
    (r'(blocks\.\d+\.)mlp\.fc2\.', r'backbone.\1mlp.layers.1.'),
    (r'(blocks\.|norm\.)', r'backbone.\1'),
    (r'pos_embed$', None),  # a fixed table, made anew
    (r'(fc_norm\.|head\.)', r'\1'),
]
# first match wins; None drops the weight
RULES: Dict[str, Rules] = {
    'devias': [
        (r'agg_block\.latents$', 'slot_attention.slots'),
        (r'agg_block\.last_layer\.0\.', 'slot_attention.final_norm.'),
        (r'agg_block\.layers\.(\d+)\.0\.fn\.to_out\.0\.', r'slot_attention.layers.\1.out_proj.'),
        (r'agg_block\.layers\.(\d+)\.0\.fn\.', r'slot_attention.layers.\1.'),
        (r'agg_block\.layers\.(\d+)\.0\.norm_context\.', r'slot_attention.layers.\1.norm_tokens.'),
        (r'agg_block\.layers\.(\d+)\.0\.norm\.', r'slot_attention.layers.\1.norm_slots.'),
        (r'agg_block\.layers\.(\d+)\.2\.norm\.', r'slot_attention.layers.\1.norm_mlp.'),
        (r'agg_block\.layers\.(\d+)\.2\.fn\.net\.0\.', r'slot_attention.layers.\1.mlp.0.'),
        (r'agg_block\.layers\.(\d+)\.2\.fn\.net\.3\.', r'slot_attention.layers.\1.mlp.2.'),
        (r'mask_predictor\.decoder\.', 'mask_decoder.layers.'),
        *_VIT,
    ],
    'videomae': _VIT,
    'videomae_pretrain': [
        (r'encoder\.(head\.)', None),
        *((r'encoder\.' + pattern, new) for pattern, new in _VIT),
        # what reconstructs pixels is of no use here
        (r'(decoder|encoder_to_decoder)\.', None),
        (r'mask_token$', None),
    ],
    'mmaction2': [
        (r'backbone\.pos_embed$', None),
        (r'backbone\.fc_norm\.', 'fc_norm.'),
        (r'backbone\.', 'backbone.'),
        (r'cls_head\.fc_cls\.', 'head.'),
        (r'data_preprocessor\.', None),
    ],
}


class Conversion(NamedTuple):
    """``state_dict`` in our names, the ``layout`` found, ``renamed`` {old: new}, ``dropped``."""
    state_dict: Dict[str, Tensor]
    layout: str
    renamed: Dict[str, str]
    dropped: List[str]


def detect_layout(keys) -> str:
    """Name the layout of a state dict.

    Raises:
        ValueError: for keys of no known layout.
    """
    keys = list(keys)
    if any(key.startswith('agg_block.') for key in keys):
        return 'devias'
    if any(key.startswith('encoder.blocks.') for key in keys):
        return 'videomae_pretrain'
    if any(key.startswith('backbone.blocks.') for key in keys):
        return 'mmaction2'
    if 'patch_embed.proj.weight' in keys:
        return 'videomae'
    raise ValueError(f'no known layout ({", ".join(RULES)}) has keys such as {keys[:3]}')


def convert(state_dict: Dict[str, Tensor]) -> Conversion:
    """Rename the weights of another project to ours.

    The published DEVIAS code stores tied slot-attention layers once per
    iteration. Equal copies become the one layer of ``tied=True``; where they
    differ, all layers are kept, for ``tied=False``.

    Args:
        state_dict (dict): names to tensors; a ``module.`` prefix is ignored.

    Returns:
        Conversion: see there.

    Raises:
        ValueError: for an unknown layout, or a weight that no rule explains.
    """
    state_dict = {re.sub(r'^module\.', '', key): value for key, value in state_dict.items()}
    layout = detect_layout(state_dict)
    renamed, dropped, unexplained = {}, [], []
    for key in state_dict:
        for pattern, new in RULES[layout]:
            if re.match(pattern, key):
                if new is None:
                    dropped.append(key)
                else:
                    renamed[key] = re.sub('^' + pattern, new, key)
                break
        else:
            unexplained.append(key)
    if unexplained:
        raise ValueError(f'{len(unexplained)} weights of the {layout} checkpoint are not known: '
                         f'{", ".join(unexplained[:5])}')
    converted = OrderedDict((new, state_dict[old]) for old, new in renamed.items())
    if 'slot_attention.slots' in converted:
        slots = converted['slot_attention.slots']
        converted['slot_attention.slots'] = slots.reshape(1, *slots.shape[-2:])
        _merge_tied_layers(converted, renamed, dropped)
    return Conversion(converted, layout, renamed, dropped)


def _merge_tied_layers(converted: Dict[str, Tensor], renamed: Dict[str, str],
                       dropped: List[str]) -> None:
    """Keep the first of equal slot-attention layers."""
    pattern = re.compile(r'slot_attention\.layers\.([1-9]\d*)\.(.+)')
    copies = [(key, match.group(2)) for key in converted if (match := pattern.match(key))]
    if all(converted[key].equal(converted[f'slot_attention.layers.0.{name}'])
           for key, name in copies):
        for key, _ in copies:
            del converted[key]
        for old in [old for old, new in renamed.items() if pattern.match(new)]:
            del renamed[old]
            dropped.append(old)
