"""Names of the same weights in other projects' checkpoints.

A layout is a table of pairs (their name, our name), and of what is left out, with the reason. In
a name ``{}`` stands for a number, and a name that ends in a dot for its ``weight`` and ``bias``.
Every name is spelled out: a weight that no line explains is an error. Nothing is imported here
that is slow, because ``--help`` of the converter lists the layouts.
"""
from typing import List, NamedTuple, Tuple

Pairs = List[Tuple[str, str]]


class Layout(NamedTuple):
    """Describe the names in the checkpoints of a project.

    Attributes:
        about: the layout in words.
        pairs: (their name, our name).
        drops: (regular expression, reason why such weights are left out).
    """
    about: str
    pairs: Pairs
    drops: Pairs = []


def _under(prefix: str, pairs: Pairs) -> Pairs:
    """Put a prefix before their names."""
    return [(prefix + theirs, ours) for theirs, ours in pairs]


_FIXED_TABLE = 'a fixed table, made anew'
_PIXEL_DECODER = 'belongs to the decoder that reconstructs pixels'

_ENCODER: Pairs = [
    ('patch_embed.proj.', 'backbone.patch_embed.projection.'),
    ('pos_embed', 'backbone.pos_embed'),
    ('blocks.{}.norm1.', 'backbone.blocks.{}.norm1.'),
    ('blocks.{}.norm2.', 'backbone.blocks.{}.norm2.'),
    ('blocks.{}.attn.qkv.weight', 'backbone.blocks.{}.attn.qkv.weight'),
    ('blocks.{}.attn.q_bias', 'backbone.blocks.{}.attn.q_bias'),
    ('blocks.{}.attn.v_bias', 'backbone.blocks.{}.attn.v_bias'),
    ('blocks.{}.attn.proj.', 'backbone.blocks.{}.attn.proj.'),
    ('blocks.{}.gamma_1', 'backbone.blocks.{}.gamma_1'),
    ('blocks.{}.gamma_2', 'backbone.blocks.{}.gamma_2'),
    ('blocks.{}.mlp.fc1.', 'backbone.blocks.{}.mlp.layers.0.0.'),
    ('blocks.{}.mlp.fc2.', 'backbone.blocks.{}.mlp.layers.1.'),
    ('norm.', 'backbone.norm.'),
]
# a learned table is of no use to an image or a token model: see `drops` and docs/checkpoints.md
_ENCODER_WITHOUT_POSITIONS: Pairs = [pair for pair in _ENCODER if pair[0] != 'pos_embed']
_CLASSIFIER: Pairs = [('fc_norm.', 'fc_norm.'), ('head.', 'head.')]

_SLOT_LAYER: Pairs = [
    ('0.norm.', 'slot_attention.layers.{}.norm_slots.'),
    ('0.norm_context.', 'slot_attention.layers.{}.norm_tokens.'),
    ('0.fn.to_q.weight', 'slot_attention.layers.{}.to_q.weight'),
    ('0.fn.to_k.weight', 'slot_attention.layers.{}.to_k.weight'),
    ('0.fn.to_v.weight', 'slot_attention.layers.{}.to_v.weight'),
    ('0.fn.to_out.0.', 'slot_attention.layers.{}.out_proj.'),
    ('2.norm.', 'slot_attention.layers.{}.norm_mlp.'),
    ('2.fn.net.0.', 'slot_attention.layers.{}.mlp.0.'),
    ('2.fn.net.3.', 'slot_attention.layers.{}.mlp.2.'),
]
_SLOTS: Pairs = [
    ('agg_block.latents', 'slot_attention.slots'),
    ('agg_block.last_layer.0.', 'slot_attention.final_norm.'),
    *_under('agg_block.layers.{}.', _SLOT_LAYER),
    ('mask_predictor.decoder.{}.', 'mask_decoder.layers.{}.'),
]

_SWIN_STAGE = ('blocks.{}.norm1.', 'blocks.{}.norm2.', 'blocks.{}.attn.qkv.',
               'blocks.{}.attn.proj.', 'blocks.{}.attn.relative_position_bias_table',
               'blocks.{}.mlp.fc1.', 'blocks.{}.mlp.fc2.', 'downsample.norm.',
               'downsample.reduction.weight')

LAYOUTS = {
    'devias': Layout(
        'DEVIAS of the published code', [*_ENCODER, *_SLOTS, ('head.', 'head.')]),
    # cls_token and scene_token are joined, and head is told apart, before the names are read
    'multitask': Layout(
        'One- and Two-Token of the published DEVIAS code, and ViTs with a class token',
        [*_ENCODER_WITHOUT_POSITIONS,
         ('cls_token', 'backbone.extra_tokens'),
         ('action_head.', 'action_head.'),
         ('scene_head.', 'scene_head.'),
         ('head.', 'head.')]),
    'videomae': Layout(
        'VideoMAE ViT, fine-tuned, or a scene model of the same form',
        [*_ENCODER, *_CLASSIFIER]),
    'videomae_pretrain': Layout(
        'VideoMAE pre-training',
        _under('encoder.', _ENCODER),
        [(r'encoder\.head\.', 'the pre-training has no classes'),
         (r'(decoder|encoder_to_decoder)\.|mask_token$', _PIXEL_DECODER)]),
    'mmaction2': Layout(
        "MMAction2's VideoMAE recognizer",
        [*[(ours, ours) for _, ours in _ENCODER],
         ('backbone.fc_norm.', 'fc_norm.'),
         ('cls_head.fc_cls.', 'head.')],
        [(r'data_preprocessor\.', 'the mean and standard deviation are in the config')]),
    'mae': Layout(
        'MAE (or another plain ViT) for images, inflated to tubelets',
        [*_ENCODER_WITHOUT_POSITIONS, *_CLASSIFIER],
        [(r'pos_embed$', 'of an image; the fixed table of the clip takes its place'),
         (r'cls_token$', 'the patch tokens are averaged instead'),
         (r'blocks\.\d+\.attn\.k_bias$',
          'adds the same to every score of a query, which the softmax ignores'),
         (r'(decoder_pos_embed|mask_token)$|decoder_(embed|norm|pred)\.|decoder_blocks\.',
          _PIXEL_DECODER)]),
    # MMAction2's names, which FeatureMapTokens loads as they are
    'omnivore': Layout(
        "Omnivore's Swin for videos, to MMAction2's SwinTransformer3D",
        [('patch_embed.proj.', 'backbone.patch_embed.proj.'),
         ('patch_embed.norm.', 'backbone.patch_embed.norm.'),
         *[(f'layers.{{}}.{name}', f'backbone.layers.{{}}.{name}') for name in _SWIN_STAGE],
         ('norm.', 'backbone.norm3.'),
         ('heads.video.', 'cls_head.fc_cls.')],
        [(r'heads\.(image|rgbd)\.', 'classifier of another modality'),
         (r'depth_patch_embed\.', 'for depth maps'),
         (r'layers\.\d+\.blocks\.\d+\.attn\.relative_position_index$', _FIXED_TABLE),
         (r'layers\.\d+\.blocks\.\d+\.attn_mask$', _FIXED_TABLE)]),
}
# what the converter reads, and what it writes: layouts whose outputs were compared
SOURCES = (*LAYOUTS, 'ours')
TARGETS = ('ours', 'mmaction2', 'videomae', 'devias')
# what our own checkpoints hold besides, when they are written in another layout
OWN_DROPS: Pairs = [
    (r'data_preprocessor\.', 'the mean and standard deviation are in the config'),
    (r'scene_teacher\.', 'the frozen teacher has a checkpoint of its own'),
]
