"""Fine-tuning of a trained recognizer, linear probes, and what is loaded into them."""
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from mmengine.runner.checkpoint import load_state_dict
from test_overfit import predicted, train
from tiny_models import ACTIONS, SCENES, SIZE, batch, teacher

from devias_mm.errors import CheckpointError

# of the training before; the published init_scale would make all classes nearly equal
SOURCE = dict(num_classes=5, num_scene_classes=4, init_scale=1.0)
CONV = dict(type='ConvTokenEncoder', input_size=SIZE, widths=(8, 12, 24), num_heads=3)
VIT = dict(type='TokenViT', img_size=16, patch_size=4, num_frames=4, embed_dims=24, depth=2,
           num_heads=2)
SLOTS = dict(num_slots=2, num_iters=2, head_dims=8)
ENCODERS = {
    'naive': dict(type='NaiveRecognizer', backbone=CONV, pool_norm=True, **SOURCE),
    'scene': dict(type='NaiveRecognizer', backbone=CONV, task='scene', **SOURCE),
    'tokens': dict(type='TokenRecognizer', backbone=dict(**CONV, num_extra_tokens=2), **SOURCE),
    'devias': dict(type='DEVIAS', backbone=CONV, slot_attention=SLOTS, **SOURCE),
    'devias hard': dict(type='DEVIAS', backbone=CONV, slot_attention=SLOTS, assignment='hard',
                        **SOURCE),
    'devias vit': dict(type='DEVIAS', backbone=VIT, slot_attention=SLOTS, **SOURCE),
    'i3d': dict(type='NaiveRecognizer', **SOURCE, backbone=dict(
        type='FeatureMapTokens', input_size=(4, 32, 32), backbone=dict(
            type='ResNet3d', depth=18, base_channels=4, pretrained2d=False,
            zero_init_residual=False))),
}


def classifier(encoder: str, **kwargs):
    config = dict(num_classes=ACTIONS, num_scene_classes=SCENES, init_scale=1.0,
                  data_preprocessor=dict(type='DebiasDataPreprocessor', mean=[127.] * 3,
                                         std=[60.] * 3), **kwargs)
    return MODELS.build(dict(type='FeatureClassifier', encoder=ENCODERS[encoder], **config))


def backward(model):
    data = model.data_preprocessor(batch(), training=True)
    loss, logs = model.parse_losses(model.train()(**data, mode='loss'))
    loss.backward()
    return logs


def with_gradient(model) -> set:
    return {name for name, p in model.named_parameters()
            if p.grad is not None and p.grad.abs().sum() > 0}


@pytest.mark.parametrize('encoder, kwargs, unused', [
    ('naive', dict(inputs=['action']), {'head'}),
    ('scene', dict(inputs=['scene']), {'head'}),
    ('tokens', dict(), {'action_head', 'scene_head'}),
    ('tokens', dict(fusion='gap'), {'action_head', 'scene_head'}),
    ('devias', dict(), {'head', 'mask_decoder'}),
    ('devias vit', dict(fusion='gap'), {'head', 'mask_decoder', 'slot_attention'})])
def test_fine_tuning_reaches_all_that_the_features_need(encoder, kwargs, unused):
    model = classifier(encoder, **kwargs)
    backward(model)
    learnt = {name for name, p in model.named_parameters() if p.requires_grad}
    assert with_gradient(model) == learnt
    left = {name.split('.')[1] for name, p in model.named_parameters() if not p.requires_grad}
    assert left == unused


@pytest.mark.parametrize('encoder, kwargs', [
    ('naive', dict(inputs=['action'], task='scene', scene_teacher=teacher())),
    ('scene', dict(inputs=['scene'])), ('devias', {}), ('i3d', dict(inputs=['action']))])
def test_a_probe_leaves_the_encoder_alone(encoder, kwargs):
    model = classifier(encoder, frozen=True, **kwargs)
    if encoder == 'i3d':  # its batch norms would follow the data in training mode
        before = {key: value.clone() for key, value in model.backbone.state_dict().items()}
        model.train().features(torch.rand(2, 3, 4, 32, 32))
        assert all(torch.equal(value, before[key])
                   for key, value in model.backbone.state_dict().items())
        return
    backward(model)
    assert not model.backbone.training and model.head.training
    own = {name for name, _ in model.named_parameters()
           if not name.startswith(('backbone.', 'scene_teacher.'))}
    assert with_gradient(model) == own
    assert {name for name, p in model.named_parameters() if p.requires_grad} == own
    with DefaultScope.overwrite_default_scope('mmaction'):
        optimizer = build_optim_wrapper(model, dict(
            optimizer=dict(type='AdamW', lr=0.1, weight_decay=0.05),
            constructor='FeatureClassifierOptimWrapperConstructor',
            paramwise_cfg=dict(decay_rate=1.))).optimizer
    held = {id(p) for group in optimizer.param_groups for p in group['params']}
    assert held == {id(p) for name, p in model.named_parameters() if name in own}


def test_learning_rates_decay_within_the_encoder():
    model = classifier('devias vit')
    with DefaultScope.overwrite_default_scope('mmaction'):
        groups = build_optim_wrapper(model, dict(
            optimizer=dict(type='AdamW', lr=1., weight_decay=0.05),
            constructor='FeatureClassifierOptimWrapperConstructor',
            paramwise_cfg=dict(decay_rate=0.5))).optimizer.param_groups
    found = {id(p): (group['lr'], group['weight_decay'])
             for group in groups for p in group['params']}
    parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
    assert set(found) == {id(p) for p in parameters.values()}
    expected = {
        'backbone.backbone.patch_embed.projection.weight': (0.125, 0.05),
        'backbone.backbone.blocks.0.mlp.layers.1.weight': (0.25, 0.05),
        'backbone.backbone.blocks.1.norm1.weight': (0.5, 0.),
        'backbone.slot_attention.layers.0.to_q.weight': (1., 0.05),
        'projections.1.weight': (1., 0.05), 'head.weight': (1., 0.05), 'head.bias': (1., 0.)}
    assert {name: found[id(parameters[name])] for name in expected} == expected


@pytest.mark.parametrize('inputs', [('action', 'scene'), ('scene', 'action')])
@pytest.mark.parametrize('encoder', ['tokens', 'devias hard'])
def test_tokens_are_projected_to_half_and_concatenated_in_order(encoder, inputs):
    model = classifier(encoder, inputs=inputs).eval()
    clips = torch.randn(3, 3, *SIZE)
    tokens = model.backbone.features(clips)
    assert not torch.allclose(tokens['action'], tokens['scene'])
    first, second = (
        tokens[name] @ project.weight.T + project.bias
        for name, project in zip(inputs, model.projections))
    feature = model.features(clips)['action']
    assert feature.shape == (3, 24)
    torch.testing.assert_close(feature[:, :12], first)
    torch.testing.assert_close(feature[:, 12:], second)


def test_gap_is_the_mean_over_time_and_space():
    model = classifier('tokens', fusion='gap').eval()
    clips = torch.randn(2, 3, *SIZE)
    tokens = model.backbone.backbone(clips).tokens  # without the two extra ones
    torch.testing.assert_close(model.features(clips)['action'], tokens.sum(1) / 32)


@pytest.mark.parametrize('encoder, kwargs', [
    ('devias', {}), ('tokens', {}), ('tokens', dict(fusion='gap')),
    ('naive', dict(inputs=['action']))])
def test_fine_tuning_overfits(encoder, kwargs):
    model = classifier(encoder, **kwargs)
    first, last = train(model, steps=160)
    assert last['loss_action'] < 0.5 * first['loss_action']
    assert predicted(model, 'action') == [0, 1, 2, 0]
    sample = model.test_step(batch(views=2))[0]
    assert sample.pred_score.shape == (ACTIONS, ) and 'pred_scene_score' not in sample
    assert float(sample.pred_score.sum()) == pytest.approx(1.)


def test_a_probe_learns_scenes_and_keeps_the_predictions_of_the_encoder():
    model = classifier('naive', inputs=['action'], task='scene', frozen=True,
                       keep_predictions=True)
    with torch.no_grad():  # features of random weights hardly differ; four tell four clips apart
        feature = model.features(model.data_preprocessor(batch())['inputs'].flatten(0, 1))['scene']
        model.backbone.fc_norm.bias.sub_(feature.mean(0))
        model.backbone.fc_norm.weight.mul_(20.)
        model.backbone.fc_norm.bias.mul_(20.)
    train(model)
    assert predicted(model, 'scene') == [0, 1, 0, 1]
    clips = batch()
    own = model.backbone.probabilities(model.data_preprocessor(clips)['inputs'].flatten(0, 1))
    found = torch.stack([sample.pred_score for sample in model.test_step(clips)])
    torch.testing.assert_close(found, own['action'])
    assert found.shape == (4, SOURCE['num_classes'])


@pytest.mark.parametrize('encoder', ['devias', 'i3d'])
def test_load_from_takes_the_checkpoint_of_the_training_before(encoder):
    """And a checkpoint of its own as it is, even where the encoder's encoder is wrapped."""
    kwargs = {} if encoder == 'devias' else dict(inputs=['action'])
    source = MODELS.build({**ENCODERS[encoder]})
    model = classifier(encoder, **kwargs)
    load_state_dict(model, source.state_dict())
    for key, value in source.state_dict().items():
        assert torch.equal(model.backbone.state_dict()[key], value), key
    again = classifier(encoder, **kwargs)
    load_state_dict(again, model.state_dict())
    for key, value in model.state_dict().items():
        assert torch.equal(again.state_dict()[key], value), key


def test_teachers_and_decoders_of_the_training_before_are_left_out():
    config = {**ENCODERS['devias'], 'scene_teacher': teacher(), 'num_scene_classes': SCENES}
    source = MODELS.build(config)
    assert any(key.startswith('scene_teacher.') for key in source.state_dict())
    model = MODELS.build(dict(type='FeatureClassifier', num_classes=ACTIONS,
                              encoder={**config, 'losses': dict(mask=None)}))
    assert model.backbone.scene_teacher is None
    model.load_state_dict(source.state_dict(), strict=False)
    assert torch.equal(model.backbone.slot_attention.slots, source.slot_attention.slots)


@pytest.mark.parametrize('key, change', [
    ('backbone.stem.0.weight', None), ('slot_attention.slots', None), ('head.bias', torch.ones(2))])
def test_a_missing_weight_of_the_encoder_is_an_error(key, change):
    state = MODELS.build({**ENCODERS['devias']}).state_dict()
    assert key in state
    state.pop(key)
    if change is not None:
        state[key] = change
    with pytest.raises(CheckpointError, match=f'load_from.*{key}'):
        load_state_dict(classifier('devias'), state)


@pytest.mark.parametrize('kwargs, message', [
    (dict(inputs=['scene']), "NaiveRecognizer has no feature 'scene', but 'action'"),
    (dict(inputs=['action'], fusion='sum'), "'concat' or 'gap', got 'sum'"),
    (dict(inputs=[]), 'inputs=.* do not share the width 24'),
    (dict(inputs=['action'], keep_predictions=True), 'needs frozen=True')])
def test_bad_options(kwargs, message):
    with pytest.raises(ValueError, match=message):
        classifier('naive', **kwargs)
