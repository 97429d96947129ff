"""Published names become ours; nothing is passed over in silence."""
import subprocess
import sys

import pytest
import torch
from mmaction.registry import MODELS

from devias_mm.engine.checkpoint_conversion import convert

VIT = dict(type='TokenViT', img_size=32, depth=2, embed_dims=24, num_heads=2, num_frames=4)


@pytest.fixture
def recognizer():
    """A small VideoMAE-like recognizer with random weights."""
    model = MODELS.build(dict(type='NaiveRecognizer', num_classes=5, pool_norm=True,
                              backbone=dict(**VIT, final_norm=False)))
    for param in model.parameters():
        torch.nn.init.normal_(param)
    return model


def videomae(state):
    """The names VideoMAE gives the weights of our recognizer."""
    names = {'projection': 'proj', 'layers.0.0': 'fc1', 'layers.1': 'fc2'}
    result = {}
    for key, value in state.items():
        if key.startswith('data_preprocessor') or key.endswith('pos_embed'):
            continue
        key = key.replace('backbone.', '')
        for ours, theirs in names.items():
            key = key.replace(ours, theirs)
        result[key] = value
    return result


@pytest.mark.parametrize('prefix', ['', 'module.'])
def test_videomae_round_trip(recognizer, prefix):
    state = recognizer.state_dict()
    result = convert({prefix + key: value for key, value in videomae(state).items()})
    assert result.layout == 'videomae'
    expected = {key for key in state if not key.endswith('pos_embed')}
    assert set(result.state_dict) == expected
    assert all(result.state_dict[key].equal(state[key]) for key in expected)


def test_pretraining_keeps_the_encoder_only(recognizer):
    state = {f'encoder.{key}': value for key, value in videomae(recognizer.state_dict()).items()
             if not key.startswith(('fc_norm', 'head'))}
    state['encoder.norm.weight'] = torch.ones(24)
    extra = {'decoder.blocks.0.norm1.weight': torch.ones(3), 'mask_token': torch.ones(3),
             'encoder_to_decoder.weight': torch.ones(3), 'encoder.pos_embed': torch.ones(3)}
    result = convert({**state, **extra})
    assert sorted(result.dropped) == sorted(extra)
    assert len(result.state_dict) == len(state)
    assert all(key.startswith('backbone.') for key in result.state_dict)


def test_mmaction2(recognizer):
    result = convert({'backbone.blocks.0.norm1.weight': torch.ones(1),
                      'backbone.fc_norm.weight': torch.ones(2), 'backbone.pos_embed': torch.ones(3),
                      'cls_head.fc_cls.bias': torch.ones(4)})
    assert {key: len(value) for key, value in result.state_dict.items()} == {
        'backbone.blocks.0.norm1.weight': 1, 'fc_norm.weight': 2, 'head.bias': 4}


def test_untied_layers_stay():
    layer = 'agg_block.layers.{}.0.fn.to_q.weight'
    state = {'agg_block.latents': torch.ones(2, 3), layer.format(0): torch.ones(3)}
    tied = convert({**state, layer.format(1): torch.ones(3)})
    untied = convert({**state, layer.format(1): torch.zeros(3)})
    assert 'slot_attention.layers.1.to_q.weight' not in tied.state_dict
    assert tied.dropped == [layer.format(1)]
    assert untied.state_dict['slot_attention.layers.1.to_q.weight'].sum() == 0


def test_unexplained_weight_is_an_error():
    with pytest.raises(ValueError, match='surprise.weight'):
        convert({'patch_embed.proj.weight': torch.ones(1), 'surprise.weight': torch.ones(1)})
    with pytest.raises(ValueError, match='no known layout'):
        convert({'conv1.weight': torch.ones(1)})


def test_tool(recognizer, root, tmp_path):
    source, target = tmp_path / 'source.pth', tmp_path / 'new' / 'target.pth'
    torch.save(dict(model=videomae(recognizer.state_dict())), source)
    command = [sys.executable, '-W', 'ignore', 'tools/data/convert_checkpoint.py', source, target,
               '--no-head']
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert 'patch_embed.proj.weight -> backbone.patch_embed.projection.weight' in result.stdout
    state = torch.load(target, weights_only=True)['state_dict']
    assert not any(key.startswith('head.') for key in state)
    missing = recognizer.load_state_dict(state, strict=False).missing_keys
    assert {key for key in missing if 'pos_embed' not in key} == {'head.weight', 'head.bias'}
    source.write_bytes(source.read_bytes()[:1000])
    result = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert result.returncode == 1 and result.stderr.startswith('error: cannot load checkpoint')
