"""Learning rates by depth."""
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope

from devias_mm.weights.layer_decay import layer_of

VIT = dict(type='TokenViT', img_size=16, patch_size=8, embed_dims=12, depth=3, num_heads=2,
           num_frames=2, use_learnable_pos_emb=True)


def build(kind: str = 'DEVIAS', **kwargs):
    if kind == 'DEVIAS':
        kwargs.setdefault('slot_attention', dict(head_dims=6))
    return MODELS.build(dict(type=kind, backbone=VIT, num_classes=3, num_scene_classes=2,
                             **kwargs))


def groups_of(model, wrapper=None, **paramwise) -> dict:
    cfg = dict(optimizer=dict(dict(type='AdamW', lr=1., weight_decay=.05), **(wrapper or {})),
               constructor='LayerDecayOptimWrapperConstructor', paramwise_cfg=paramwise)
    with DefaultScope.overwrite_default_scope('mmaction'):
        wrapper = build_optim_wrapper(model, cfg)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return {names[id(parameter)]: (group['lr'], group['weight_decay'])
            for group in wrapper.optimizer.param_groups for parameter in group['params']}


def test_rates_by_depth():
    model = build()
    groups = groups_of(model, decay_rate=.5, lr_mult={'slot_attention': .1})
    expected = {
        'backbone.patch_embed.projection.weight': 1 / 16, 'backbone.pos_embed': 1 / 16,
        'backbone.blocks.0.attn.qkv.weight': 1 / 8, 'backbone.blocks.1.attn.qkv.weight': 1 / 4,
        'backbone.blocks.2.mlp.layers.1.weight': 1 / 2, 'backbone.norm.weight': 1.,
        'head.weight': 1., 'mask_decoder.layers.0.weight': 1.,
        'slot_attention.layers.0.to_q.weight': .1, 'slot_attention.slots': .1}
    for name, rate in expected.items():
        assert groups[name][0] == pytest.approx(rate), name
    assert set(groups) == {name for name, _ in model.named_parameters()}


def test_vectors_do_not_decay():
    model = build()
    groups = groups_of(model, decay_rate=.75)
    for name, parameter in model.named_parameters():
        embedding = name.endswith(('pos_embed', 'extra_tokens'))
        assert groups[name][1] == (.05 if parameter.dim() > 1 and not embedding else 0.), name


def test_a_teacher_is_left_out():
    teacher = dict(type='NaiveRecognizer', task='scene', backbone=VIT, num_classes=0,
                   num_scene_classes=2)
    groups = groups_of(build(scene_teacher=teacher), decay_rate=.75)
    assert not any(name.startswith('scene_teacher') for name in groups)
    assert 'head.weight' in groups


def test_extra_tokens_are_embeddings():
    model = MODELS.build(dict(type='TokenRecognizer', num_classes=3, num_scene_classes=2,
                              backbone=dict(VIT, num_extra_tokens=2,
                                            use_learnable_pos_emb=False)))
    groups = groups_of(model, decay_rate=.5)
    assert groups['backbone.extra_tokens'] == (pytest.approx(1 / 16), 0.)
    assert layer_of('backbone.blocks.11.norm1.weight', 12) == 12
    assert layer_of('head.weight', 12) == 13


def test_one_is_no_decay():
    assert {rate for rate, _ in groups_of(build(), decay_rate=1.).values()} == {1.}


@pytest.mark.parametrize('paramwise, wrapper, message', [
    (dict(), {}, r'decay_rate in \(0, 1\]'),
    (dict(decay_rate=1.5), {}, r'decay_rate in \(0, 1\].*1.5'),
    (dict(decay_rate=.5, num_layers=12), {}, 'num_layers'),
    (dict(decay_rate=.5, lr_mult={'slots': .1}), {}, r"no trained parameter.*\['slots'\]"),
    (dict(decay_rate=.5), dict(weight_decay=None), 'needs weight_decay')])
def test_bad_settings(paramwise, wrapper, message):
    with pytest.raises(ValueError, match=message):
        groups_of(build(), wrapper, **paramwise)


def test_a_backbone_without_blocks():
    model = build('NaiveRecognizer')
    model.backbone = torch.nn.Linear(2, 2)
    with pytest.raises(ValueError, match='Linear has no `blocks`'):
        groups_of(model, decay_rate=.5)
