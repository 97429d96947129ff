"""Names of the same weights in other projects' checkpoints.

A layout is a table of pairs (their name, our name) read in either direction, and of what
is left out, with the reason. In a name ``{}`` stands for a number, and a name that ends in a dot
for its ``weight`` and ``bias``. Every name is spelled out: what no line explains is an error.
"""
from typing import List, NamedTuple, Tuple

Pairs = List[Tuple[str, str]]


class Layout(NamedTuple):
    """``about`` it, in words; ``pairs`` (theirs, ours); ``drops`` (regular expression, reason)."""
    about: str
    pairs: Pairs
    drops: Pairs = []


_BLOCK_SAME = ('norm1.', 'norm2.', 'attn.qkv.weight', 'attn.q_bias', 'attn.v_bias', 'attn.proj.',
               'gamma_1', 'gamma_2')
_ENCODER: Pairs = [
    ('patch_embed.proj.', 'backbone.patch_embed.projection.'),
    ('pos_embed', 'backbone.pos_embed'),
    *((f'blocks.{{}}.{name}', f'backbone.blocks.{{}}.{name}') for name in _BLOCK_SAME),
    ('blocks.{}.mlp.fc1.', 'backbone.blocks.{}.mlp.layers.0.0.'),
    ('blocks.{}.mlp.fc2.', 'backbone.blocks.{}.mlp.layers.1.'),
    ('norm.', 'backbone.norm.'),
]
_CLASSIFIER: Pairs = [('fc_norm.', 'fc_norm.'), ('head.', 'head.')]
_SLOTS: Pairs = [
    ('agg_block.latents', 'slot_attention.slots'),
    ('agg_block.last_layer.0.', 'slot_attention.final_norm.'),
    *(('agg_block.layers.{}.' + theirs, 'slot_attention.layers.{}.' + ours) for theirs, ours in (
        ('0.norm.', 'norm_slots.'),
        ('0.norm_context.', 'norm_tokens.'),
        ('0.fn.to_q.weight', 'to_q.weight'),
        ('0.fn.to_k.weight', 'to_k.weight'),
        ('0.fn.to_v.weight', 'to_v.weight'),
        ('0.fn.to_out.0.', 'out_proj.'),
        ('2.norm.', 'norm_mlp.'),
        ('2.fn.net.0.', 'mlp.0.'),
        ('2.fn.net.3.', 'mlp.2.'))),
    ('mask_predictor.decoder.{}.', 'mask_decoder.layers.{}.'),
]
_SWIN_BLOCK = ('norm1.', 'norm2.', 'attn.qkv.', 'attn.proj.', 'attn.relative_position_bias_table',
               'mlp.fc1.', 'mlp.fc2.')

LAYOUTS = {
    'devias': Layout(
        'DEVIAS of the published code', [*_ENCODER, *_SLOTS, ('head.', 'head.')]),
    'multitask': Layout(
        'One-/Two-Token: a VideoMAE ViT with class tokens',
        [*_ENCODER, ('cls_token', 'backbone.extra_tokens'), ('action_head.', 'action_head.'),
         ('scene_head.', 'scene_head.'), ('head.', 'head.')]),
    'videomae': Layout(
        'VideoMAE ViT, fine-tuned, or a scene model of the same form',
        [*_ENCODER, *_CLASSIFIER]),
    'videomae_pretrain': Layout(
        'VideoMAE pre-training',
        [(f'encoder.{theirs}', ours) for theirs, ours in _ENCODER],
        [(r'encoder\.head\.', 'the pre-training has no classes'),
         (r'(decoder|encoder_to_decoder)\.|mask_token$',
          'belongs to the decoder that reconstructs pixels')]),
    'mmaction2': Layout(
        "MMAction2's VideoMAE recognizer",
        [*((ours, ours) for _, ours in _ENCODER),
         ('backbone.fc_norm.', 'fc_norm.'), ('cls_head.fc_cls.', 'head.')],
        [(r'data_preprocessor\.', 'the mean and standard deviation stand in the config')]),
    'mae': Layout(
        'MAE (or another plain ViT) for images, inflated to tubelets',
        [pair for pair in (*_ENCODER, *_CLASSIFIER) if pair[0] != 'pos_embed'],
        [(r'pos_embed$', 'of an image; the fixed table of the clip takes its place'),
         (r'cls_token$', 'the patch tokens are averaged instead'),
         (r'blocks\.\d+\.attn\.k_bias$',
          'adds the same to every score of a query, which the softmax ignores'),
         (r'(decoder_pos_embed|mask_token)$|decoder_(embed|norm|pred)\.|decoder_blocks\.',
          'belongs to the decoder that reconstructs pixels')]),
    # MMAction2's names, which FeatureMapTokens loads as they are
    'omnivore': Layout(
        "Omnivore's Swin for videos, to MMAction2's SwinTransformer3D",
        [('patch_embed.proj.', 'backbone.patch_embed.proj.'),
         ('patch_embed.norm.', 'backbone.patch_embed.norm.'),
         *((f'layers.{{}}.{name}', f'backbone.layers.{{}}.{name}') for name in (
             *(f'blocks.{{}}.{part}' for part in _SWIN_BLOCK), 'downsample.norm.',
             'downsample.reduction.weight')),
         ('norm.', 'backbone.norm3.'),
         ('heads.video.', 'cls_head.fc_cls.')],
        [(r'heads\.(image|rgbd)\.', 'classifier of another modality'),
         (r'depth_patch_embed\.', 'for depth maps'),
         (r'layers\.\d+\.blocks\.\d+\.attn\.relative_position_index$', 'a fixed table, made anew'),
         (r'layers\.\d+\.blocks\.\d+\.attn_mask$', 'a fixed table, made anew')]),
}
# what our own checkpoints hold besides, when they are written in another layout
OWN_DROPS: Pairs = [
    (r'data_preprocessor\.', 'the mean and standard deviation stand in the config'),
    (r'scene_teacher\.', 'the frozen teacher has a checkpoint of its own'),
]
