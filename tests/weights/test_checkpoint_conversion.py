"""Published names become ours and back; nothing is passed over in silence."""
import json
import re

import pytest
import torch
from mmaction.models.backbones.vit_mae import get_sinusoid_encoding
from mmaction.registry import MODELS
from mmengine.registry import DefaultScope

from devias_mm.errors import CheckpointError
from devias_mm.weights.conversion import check_complete, convert, detect_kind, export, unwrap

VIT = dict(type='TokenViT', img_size=32, depth=2, embed_dims=24, num_heads=2, num_frames=4)
OFFICIAL = dict(num_slots=2, num_heads=2, head_dims=8, attn_norm='l1', out_proj=True,
                mlp_norm=True, final_norm=True)


def randomise(model):
    """Every weight another one, so that no two can be mixed up."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * .2)
    return model.eval()


def naive(**kwargs):
    """A VideoMAE-like recognizer."""
    return randomise(MODELS.build(dict(
        type='NaiveRecognizer', num_classes=5, pool_norm=True,
        backbone=dict(**VIT, final_norm=False), **kwargs)))


def devias(backbone=VIT, **slots):
    return randomise(MODELS.build(dict(
        type='DEVIAS', num_classes=5, num_scene_classes=3, slot_attention=slots,
        backbone=backbone)))


def weights(model):
    """Parameters, without the tables that are made anew."""
    return dict(model.named_parameters())


def same(first, second):
    assert set(first) == set(second)
    for key, value in first.items():
        assert torch.equal(value, second[key]), key


def videomae(state):
    """The names VideoMAE gives the weights of our recognizer."""
    names = {'backbone.': '', 'projection': 'proj', 'layers.0.0': 'fc1', 'layers.1': 'fc2'}
    result = {}
    for key, value in state.items():
        for ours, theirs in names.items():
            key = key.replace(ours, theirs)
        result[key] = value
    return result


@pytest.mark.parametrize('prefix', ['', 'module.'])
def test_videomae_round_trip(prefix):
    state = weights(naive())
    official = videomae(state)
    result = convert({prefix + key: value for key, value in official.items()})
    assert result.layout == 'videomae' and not result.dropped
    same(result.state_dict, state)
    same(export(state, 'videomae').state_dict, official)
    assert 'recognizer: pool_norm=True' in result.notes
    assert any('embed_dims=24, depth=2' in note and 'final_norm=False' in note
               for note in result.notes)


@pytest.mark.parametrize('size', [(384, 6), (768, 12), (1024, 16)])
def test_videomae_sizes_parity_with_transformers(size):
    """The same logits as another implementation of VideoMAE, weights under the official names."""
    transformers = pytest.importorskip('transformers')
    dims, heads = size
    theirs = transformers.VideoMAEForVideoClassification(transformers.VideoMAEConfig(
        image_size=32, num_frames=4, hidden_size=dims, num_hidden_layers=1,
        num_attention_heads=heads, intermediate_size=4 * dims, layer_norm_eps=1e-6, num_labels=5,
        use_mean_pooling=True)).eval()
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.copy_(torch.randn_like(parameter) * .05)
    names = {
        'videomae.embeddings.patch_embeddings.projection.': 'patch_embed.proj.',
        'videomae.encoder.layer.': 'blocks.', 'layernorm_before.': 'norm1.',
        'layernorm_after.': 'norm2.', 'attention.attention.q_bias': 'attn.q_bias',
        'attention.attention.query.bias': 'attn.q_bias',  # newer versions
        'attention.attention.v_bias': 'attn.v_bias',
        'attention.attention.value.bias': 'attn.v_bias', 'attention.output.dense.': 'attn.proj.',
        'intermediate.dense.': 'mlp.fc1.', 'output.dense.': 'mlp.fc2.', 'classifier.': 'head.'}
    official = {}
    for key, value in theirs.state_dict().items():
        for old, new in names.items():
            key = key.replace(old, new)
        official[key] = value
    for stem in [key[:-len('query.weight')] for key in official if key.endswith('query.weight')]:
        official[stem.replace('attention.attention.', 'attn.') + 'qkv.weight'] = torch.cat(
            [official.pop(f'{stem}{name}.weight') for name in ('query', 'key', 'value')])
    result = convert(official, 'videomae')
    ours = MODELS.build(dict(type='NaiveRecognizer', num_classes=5, pool_norm=True, backbone=dict(
        VIT, depth=1, embed_dims=dims, num_heads=heads, final_norm=False))).eval()
    missing, unexpected = ours.load_state_dict(result.state_dict, strict=False)
    assert missing == ['backbone.pos_embed'] and not unexpected
    clips = torch.randn(2, 3, 4, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(ours.logits(clips)['action'],
                                   theirs(clips.transpose(1, 2)).logits, rtol=0, atol=1e-5)


def test_pretraining_keeps_the_encoder_only():
    state = {f'encoder.{key}': value for key, value in videomae(weights(naive())).items()
             if not key.startswith(('fc_norm', 'head'))}
    state['encoder.norm.weight'] = torch.ones(24)
    extra = {'decoder.blocks.0.norm1.weight': torch.ones(3), 'mask_token': torch.ones(3),
             'encoder_to_decoder.weight': torch.ones(3),
             'encoder.pos_embed': get_sinusoid_encoding(8, 24)}
    result = convert({**state, **extra})
    assert result.layout == 'videomae_pretrain' and len(check_complete(result, True)) == 1
    assert sorted(result.dropped) == sorted(extra) and all(result.dropped.values())
    assert len(result.state_dict) == len(state)
    assert all(key.startswith('backbone.') for key in result.state_dict)
    assert 'fc_norm.weight' not in result.state_dict


def test_learned_positions_stay():
    state = {**videomae(weights(naive())), 'pos_embed': get_sinusoid_encoding(8, 24)}
    assert 'pos_embed' in convert(state).dropped
    state['pos_embed'] = state['pos_embed'] + .01
    assert convert(state).state_dict['backbone.pos_embed'] is state['pos_embed']


def test_mmaction2_both_ways():
    """MMAction2's own recognizer gives the same scores, before and after."""
    with DefaultScope.overwrite_default_scope('mmaction'):
        theirs = MODELS.build(dict(
            type='Recognizer3D', backbone=dict(VIT, type='VisionTransformer'),
            cls_head=dict(type='TimeSformerHead', num_classes=5, in_channels=24)))
    ours = naive()
    clips = torch.randn(2, 3, 4, 32, 32)
    theirs.eval()
    with torch.no_grad():
        expected = ours.logits(clips)['action']
        exported = export(ours.state_dict(), 'mmaction2')
        assert set(exported.dropped) == {'backbone.pos_embed'}
        missing, unexpected = theirs.load_state_dict(exported.state_dict, strict=False)
        assert missing == ['backbone.pos_embed'] and not unexpected
        scores = theirs.cls_head(theirs.backbone(clips))
    torch.testing.assert_close(scores, expected, rtol=0, atol=1e-5)
    back = convert(theirs.state_dict())
    assert back.layout == 'mmaction2' and check_complete(back) == []
    same(back.state_dict, weights(ours))


@pytest.mark.parametrize('tokens', [1, 2])
@pytest.mark.parametrize('unified', [True, False])
def test_published_multitask_model(tokens, unified):
    """Its names: ``cls_token``, ``scene_token``, ``head``, and ``scene_head`` unless unified."""
    model = randomise(MODELS.build(dict(
        type='TokenRecognizer', num_classes=5, num_scene_classes=3, unified_head=unified,
        backbone=dict(**VIT, num_extra_tokens=tokens))))
    official = videomae(weights(model))
    own = official.pop('extra_tokens')
    official['cls_token'] = own[:, :1]
    if tokens == 2:
        official['scene_token'] = own[:, 1:]
    official = {re.sub(r'^action_head\.', 'head.', key): value for key, value in official.items()}
    result = convert(official)
    assert result.layout == 'multitask' and f'backbone: num_extra_tokens={tokens}' in result.notes
    same(result.state_dict, weights(model))
    assert check_complete(result) == []
    # the fixed table covers the tokens as well, and is made anew; a learned one is not guessed at
    table = get_sinusoid_encoding(8 + tokens, 24)
    assert 'pos_embed' in convert({**official, 'pos_embed': table}).dropped
    with pytest.raises(CheckpointError, match='pos_embed'):
        convert({**official, 'pos_embed': torch.randn(1, 8 + tokens, 24)})


def test_multitask_needs_its_tokens():
    state = {**videomae(weights(naive())), 'scene_token': torch.ones(1, 1, 24)}
    with pytest.raises(CheckpointError, match='needs cls_token'):
        convert(state)
    with pytest.raises(CheckpointError, match=r'\(1, 2, 24\), not \(1, 1, width\)'):
        convert({**state, 'cls_token': torch.ones(1, 2, 24)})


@pytest.mark.parametrize('tied', [True, False])
def test_devias_round_trip(tied):
    model = devias(**OFFICIAL, num_iters=3, tied=tied)
    state = weights(model)
    official = export(model.state_dict(), 'devias', 3).state_dict
    assert official['agg_block.latents'].shape == (2, 24)
    assert sum(key.endswith('to_q.weight') for key in official) == 3
    back = convert(official)
    assert back.layout == 'devias' and f'slot_attention: num_iters=3, tied={tied}' in back.notes
    assert bool(back.dropped) == tied
    same(back.state_dict, state)
    same(export(back.state_dict, 'devias', 3).state_dict, official)


def test_devias_export_refuses_what_it_cannot_say():
    tied = devias(**OFFICIAL, num_iters=3).state_dict()
    with pytest.raises(ValueError, match='--num-iters'):
        export(tied, 'devias')
    with pytest.raises(ValueError, match='num_iters is 2, but the model has 3'):
        export(devias(**OFFICIAL, num_iters=3, tied=False).state_dict(), 'devias', 2)
    printed = dict(num_heads=1, head_dims=None, attn_norm='l2', out_proj=False, mlp_norm=False,
                   final_norm=False)
    with pytest.raises(ValueError, match='to_out'):
        export(devias(num_iters=3, **printed).state_dict(), 'devias', 3)
    with pytest.raises(ValueError, match='slots_log_scale'):
        export({**tied, 'slot_attention.slots_log_scale': torch.zeros(1)}, 'devias', 3)
    with pytest.raises(ValueError, match='no DEVIAS'):
        export(naive().state_dict(), 'devias', 3)
    with pytest.raises(ValueError, match='slot_attention.slots'):
        export(tied, 'mmaction2')


@pytest.mark.parametrize('case', ['ucf_depth2', 'k4_untied_depth2'])
def test_golden_layout_both_ways(golden, case):
    """The names, shapes and values of the official layout survive a round trip."""
    config = json.loads((golden / 'devias_forward' / f'{case}_config.json').read_text())
    state = {}
    for i, (name, shape) in enumerate(config['state_dict']):
        first = re.sub(r'layers\.\d+', 'layers.0', name)
        value = float(i) if first not in state or not config['agg_weights_tied'] \
            else state[first].flatten()[0].item()
        state[name] = torch.full(shape, value)
    ours = convert(state)
    same(export(ours.state_dict, 'devias', config['agg_depth']).state_dict, state)


def published_devias(**changes):
    """Weights of a small DEVIAS in the published names, three iterations."""
    model = devias(**{**OFFICIAL, 'num_iters': 3, 'tied': False, **changes})
    return export(model.state_dict(), 'devias', 3).state_dict


def without(state, prefix):
    return {key: value for key, value in state.items() if not key.startswith(prefix)}


@pytest.mark.parametrize('prefix, number, name', [
    ('head.', 2, 'head.weight, head.bias'),
    ('blocks.0.', 13, 'blocks.0.attn.qkv.weight'),
    ('blocks.1.mlp.fc2.bias', 1, 'blocks.1.mlp.fc2.bias'),
    ('patch_embed.', 2, 'patch_embed.proj.weight'),
    ('norm.', 2, 'norm.weight'),
    ('agg_block.latents', 1, 'agg_block.latents'),
    ('agg_block.layers.1.', 15, 'agg_block.layers.1.0.fn.to_q.weight'),
    ('agg_block.layers.2.0.fn.to_out', 2, 'agg_block.layers.2.0.fn.to_out.0.weight'),
    ('mask_predictor.decoder.2', 2, 'mask_predictor.decoder.2.weight'),
    ('mask_predictor.', 6, 'mask_predictor.decoder.0.weight')])
def test_what_a_devias_checkpoint_lacks_is_named(prefix, number, name):
    state = published_devias()
    assert check_complete(convert(state)) == []
    result = convert(without(state, prefix), 'devias')
    message = rf'missing weights \({number}\): .*{name}.*--partial'
    with pytest.raises(CheckpointError, match=message):
        check_complete(result)
    assert name.split(', ')[0] in check_complete(result, partial=True)
    # nothing else is: a classifier may be left out on purpose
    if prefix == 'head.':
        assert check_complete(result, heads=False) == []


def test_the_aggregation_alone_is_no_model():
    state = {key: value for key, value in published_devias().items() if key.startswith('agg_')}
    message = r'weights \(\d+\): patch_embed.proj.weight.* and .* more'
    with pytest.raises(CheckpointError, match=message):
        check_complete(convert(state))


def test_a_copy_that_a_tied_layer_lacks_is_named():
    state = published_devias(tied=True)
    assert check_complete(convert(state)) == []
    with pytest.raises(CheckpointError, match=r'\(15\): agg_block.layers.1.0.fn.to_q.weight'):
        check_complete(convert(without(state, 'agg_block.layers.1.')))


def test_the_last_block_of_a_published_width_is_missed():
    model = MODELS.build(dict(type='NaiveRecognizer', num_classes=5, backbone=dict(
        VIT, embed_dims=384, num_heads=6, depth=11)))
    with pytest.raises(CheckpointError, match=r'\(13\): blocks.11.attn.qkv.weight'):
        check_complete(convert(videomae(weights(model))))


@pytest.mark.parametrize('name', ['blocks.0.attn.qkv.weight', 'blocks.1.mlp.fc1.weight',
                                  'agg_block.layers.0.0.fn.to_q.weight', 'agg_block.latents',
                                  'mask_predictor.decoder.2.weight', 'head.weight',
                                  'patch_embed.proj.weight'])
@pytest.mark.parametrize('kind', ['transposed', 'cut', 'empty', 'integer', 'NaN', 'infinite'])
def test_weights_of_no_use_are_named(name, kind):
    state = published_devias()
    value = state[name]
    if kind == 'transposed':
        value = value.transpose(0, 1)
    elif kind == 'cut':
        value = value[..., :-1] if name != 'patch_embed.proj.weight' else value[:, :2]
    elif kind == 'empty':
        value = value[:0]
    elif kind == 'integer':
        value = value.int()
    else:
        value = value.clone()
        value[0] = float('nan' if kind == 'NaN' else '-inf')
    with pytest.raises(CheckpointError, match=name):
        check_complete(convert({**state, name: value}))
    with pytest.raises(CheckpointError, match=name):  # --partial is for what is missing
        check_complete(convert({**state, name: value}), partial=True)


def test_half_precision_is_accepted():
    state = {key: value.half() for key, value in published_devias().items()}
    result = convert(state)
    assert check_complete(result) == []
    same(export(result.state_dict, 'devias', 3).state_dict, state)


def image_vit():
    """Random weights of a plain image ViT, the names of MAE."""
    dims, state = 24, {}
    for name, shape in (
            ('cls_token', (1, 1, dims)), ('pos_embed', (1, 5, dims)),
            ('patch_embed.proj.weight', (dims, 3, 16, 16)), ('patch_embed.proj.bias', (dims, )),
            ('norm.weight', (dims, )), ('norm.bias', (dims, )),
            *((f'blocks.0.{name}', shape) for name, shape in (
                ('norm1.weight', (dims, )), ('norm1.bias', (dims, )),
                ('attn.qkv.weight', (3 * dims, dims)), ('attn.qkv.bias', (3 * dims, )),
                ('attn.proj.weight', (dims, dims)), ('attn.proj.bias', (dims, )),
                ('norm2.weight', (dims, )), ('norm2.bias', (dims, )),
                ('mlp.fc1.weight', (4 * dims, dims)), ('mlp.fc1.bias', (4 * dims, )),
                ('mlp.fc2.weight', (dims, 4 * dims)), ('mlp.fc2.bias', (dims, ))))):
        state[name] = torch.randn(shape) * .2
    return state


@pytest.mark.parametrize('tubelet', [2, 4])
def test_mae_is_inflated(tubelet):
    """A clip that stands still is what the image was, up to position and class token."""
    state = image_vit()
    decoder = {'mask_token': torch.ones(1), 'decoder_pos_embed': torch.ones(1),
               'decoder_blocks.0.norm1.weight': torch.ones(1), 'decoder_pred.bias': torch.ones(1)}
    result = convert({**state, **decoder}, tubelet=tubelet)
    assert result.layout == 'mae' and check_complete(result) == []
    assert set(result.dropped) == {'cls_token', 'pos_embed', 'blocks.0.attn.k_bias', *decoder}
    model = MODELS.build(dict(VIT, depth=1, tubelet_size=tubelet)).eval()
    loaded = model.load_state_dict({key.replace('backbone.', '', 1): value
                                    for key, value in result.state_dict.items()}, strict=False)
    assert loaded.missing_keys == ['pos_embed'] and not loaded.unexpected_keys
    image = torch.randn(2, 3, 32, 32)
    patches = torch.nn.functional.conv2d(
        image, state['patch_embed.proj.weight'], state['patch_embed.proj.bias'], stride=16)
    patches = patches.flatten(2).transpose(1, 2)
    clip = image[:, :, None].expand(-1, -1, 4, -1, -1)
    torch.testing.assert_close(model.patch_embed(clip)[0],
                               patches.repeat(1, 4 // tubelet, 1), rtol=0, atol=1e-4)
    # torch's own encoder layer, which has the bias of the keys that was dropped
    block = torch.nn.TransformerEncoderLayer(24, 2, 96, 0., 'gelu', 1e-6, True, True).eval()
    names = {'norm1': 'norm1', 'norm2': 'norm2', 'attn.proj': 'self_attn.out_proj',
             'mlp.fc1': 'linear1', 'mlp.fc2': 'linear2'}
    block.load_state_dict({
        **{f'{theirs}.{kind}': state[f'blocks.0.{name}.{kind}']
           for name, theirs in names.items() for kind in ('weight', 'bias')},
        'self_attn.in_proj_weight': state['blocks.0.attn.qkv.weight'],
        'self_attn.in_proj_bias': state['blocks.0.attn.qkv.bias']})
    torch.testing.assert_close(model.blocks[0](patches), block(patches), rtol=0, atol=1e-5)


@pytest.mark.parametrize('form', ['trunk.', '', 'nested'])
def test_omnivore_becomes_mmaction2(form, tmp_path):
    """The trunk of Omnivore gives the same features in ``SwinTransformer3D``."""
    swin = dict(
        type='SwinTransformer3D', pretrained2d=False, window_size=(4, 7, 7),
        arch=dict(embed_dims=8, depths=[1, 1, 1, 2], num_heads=[1, 1, 2, 2]))
    theirs = MODELS.build(swin)
    randomise(theirs)
    trunk = {key.replace('norm3.', 'norm.'): value for key, value in theirs.state_dict().items()}
    trunk['depth_patch_embed.proj.weight'] = torch.ones(2)
    heads = {'image.weight': torch.ones(2), 'rgbd.1.bias': torch.ones(2),
             'video.1.weight': torch.ones(2, 64), 'video.1.bias': torch.ones(2)}
    if form == 'nested':
        state = unwrap(dict(trunk=trunk, heads=heads))
    else:
        state = {form + key: value for key, value in trunk.items()}
        state.update({f'heads.{key}': value for key, value in heads.items()})
    result = convert(state)
    assert result.layout == 'omnivore' and 'backbone: window_size=(4, 7, 7)' in result.notes
    assert {'heads.image.weight', 'heads.rgbd.1.bias', 'depth_patch_embed.proj.weight',
            'layers.0.blocks.0.attn.relative_position_index'} <= set(result.dropped)
    assert {'cls_head.fc_cls.weight', 'cls_head.fc_cls.bias'} <= set(result.state_dict)
    assert check_complete(result) == []
    lost = {key: value for key, value in state.items() if 'layers.3.blocks.0.mlp' not in key}
    with pytest.raises(CheckpointError, match=r'\(4\): layers.3.blocks.0.mlp.fc1.weight'):
        check_complete(convert(lost))
    torch.save(dict(state_dict=result.state_dict), tmp_path / 'swin.pth')
    ours = MODELS.build(dict(
        type='FeatureMapTokens', backbone=swin, input_size=(8, 64, 96),
        init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'swin.pth'))))
    ours.init_weights()
    ours.eval()
    clips = torch.randn(1, 3, 8, 64, 96)
    with torch.no_grad():
        assert torch.equal(ours(clips).tokens, theirs(clips).flatten(2).transpose(1, 2))


@pytest.mark.parametrize('surprise', ['surprise.weight', 'blocks.0.attn.surprise',
                                      'blocks.0.norm1.running_mean', 'norm1.weight'])
def test_unexplained_weight_is_an_error(surprise):
    state = videomae(weights(naive()))
    with pytest.raises(ValueError, match=surprise):
        convert({**state, surprise: torch.ones(1)})
    with pytest.raises(ValueError, match='nonsense'):
        export({**weights(naive()), 'nonsense': torch.ones(1)}, 'videomae')


def test_unknown_layouts():
    with pytest.raises(ValueError, match='no known layout'):
        convert({'conv1.weight': torch.ones(1)})
    with pytest.raises(ValueError, match='kind must be one of'):
        convert({'conv1.weight': torch.ones(1)}, 'torchvision')
    with pytest.raises(ValueError, match='init_cfg.*FeatureMapTokens'):
        detect_kind({'backbone.conv1.conv.weight': torch.ones(1)})
    assert detect_kind(weights(naive())) == 'ours'


def test_unwrap():
    tensor = torch.ones(1)
    for nest in (lambda x: x, lambda x: dict(model=x), lambda x: dict(module=x, epoch=3),
                 lambda x: dict(state_dict=dict(model=x), args='...')):
        assert unwrap(nest({'module._orig_mod.head.bias': tensor})) == {'head.bias': tensor}
    with pytest.raises(ValueError, match='epoch'):
        unwrap({'weights': [tensor], 'epoch': 3})
    with pytest.raises(ValueError, match='no weights'):
        unwrap({})
