"""Putting MMAction2's own models in front of a suite's splits."""
import pytest
import torch
from mmaction.models import OmniHead
from mmaction.registry import MODELS as MODELS_OF_MMACTION
from mmengine.config import Config

from devias_mm.engine.any_model import adapt_config, adapt_pipeline, find_config
from devias_mm.errors import UsageError

SAMPLER = dict(type='SampleFrames', clip_len=1, frame_interval=1, num_clips=25, test_mode=True)
MODELS = dict(
    tsn='recognition/tsn/tsn_imagenet-pretrained-r50_8xb32-1x1x3-100e_kinetics400-rgb.py',
    tsm='recognition/tsm/tsm_imagenet-pretrained-r50_8xb16-1x1x8-50e_kinetics400-rgb.py',
    slowonly='recognition/slowonly/slowonly_imagenet-pretrained-r50_8xb16-8x8x1-steplr-150e_'
             'kinetics400-rgb.py',
    x3d='recognition/x3d/x3d_s_13x6x1_facebook-kinetics400-rgb.py',
    videomae='recognition/videomae/vit-base-p16_videomae-k400-pre_16x4x1_kinetics-400.py')


@pytest.fixture
def data_cfg():
    return Config(dict(
        num_classes=8,
        test_dataloader=dict(batch_size=64, num_workers=1, dataset=dict(
            type='ActionSceneDataset', ann_file='seen.txt', num_classes=8,
            pipeline=[dict(type='ReadClip', backend='opencv', sampler=dict(type='SampleFrames')),
                      dict(type='Resize', scale=(48, 48)), dict(type='PackActionInputs')])),
        test_cfg=dict(type='MultiSplitTestLoop', splits=dict(
            seen=dict(ann_file='seen.txt'),
            scuba=dict(ann_file='scuba.txt', pipeline=[dict(type='ReadClip')])))))


@pytest.mark.parametrize('name', MODELS)
def test_models_keep_their_own_sampling_and_crops(name, data_cfg):
    own = Config.fromfile(str(find_config(f'mmaction::{MODELS[name]}')))
    cfg = adapt_config(own, data_cfg, random_weights=True)
    steps = own.test_dataloader.dataset.pipeline
    pipeline = cfg.test_dataloader.dataset.pipeline
    assert pipeline[0].type == 'ReadClip' and pipeline[0].backend == 'opencv'
    assert pipeline[0].sampler == steps[1] and pipeline[1:-1] == steps[3:-1]
    assert pipeline[-1].meta_keys == ('video_id', )
    assert cfg.test_cfg.splits.scuba.pipeline == pipeline
    assert cfg.model.cls_head.num_classes == 8 and cfg.model.cls_head.average_clips == 'prob'
    assert 'http' not in cfg.pretty_text and 'torchvision://' not in cfg.pretty_text
    assert own.model.cls_head.num_classes == 400  # untouched


@pytest.mark.parametrize('own, expected', [
    (dict(), 'prob'), (dict(average_clips=None), 'prob'), (dict(average_clips='score'), 'score')])
def test_views_are_averaged_to_one_prediction(own, expected, data_cfg):
    cfg = Config.fromfile(str(find_config(f'mmaction::{MODELS["tsn"]}')))
    cfg.model.cls_head.pop('average_clips')
    cfg.model.cls_head.update(own)
    cfg = adapt_config(cfg, data_cfg, random_weights=True)
    assert cfg.model.cls_head.average_clips == expected


@pytest.mark.parametrize('name, kind', [('tsn', 'ResNetOfDistinctImages'), ('tsm', 'ResNetTSM')])
def test_frames_that_know_of_each_other_are_all_computed(name, kind, data_cfg):
    own = Config.fromfile(str(find_config(f'mmaction::{MODELS[name]}')))
    assert adapt_config(own, data_cfg, random_weights=True).model.backbone.type == kind


def test_repeated_images_are_computed_once():
    torch.manual_seed(0)
    options = dict(depth=18, norm_eval=False, pretrained=None)
    plain = MODELS_OF_MMACTION.build(dict(type='ResNet', **options))
    model = MODELS_OF_MMACTION.build(dict(type='ResNetOfDistinctImages', **options))
    model.load_state_dict(plain.state_dict())
    plain.eval()
    images = torch.randn(3, 3, 32, 32)[[0, 1, 0, 2, 2, 1, 0, 0]]
    seen = []
    model.conv1.register_forward_hook(lambda module, args, out: seen.append(len(args[0])))
    with torch.no_grad():
        model.eval()
        torch.testing.assert_close(model(images), plain(images), rtol=1e-4, atol=1e-5)
        model.train()  # batch statistics are those of all images
        model(images)
    assert seen == [3, 8]


def test_the_head_of_omnisource_has_classes_of_videos(data_cfg):
    name = 'recognition/omnisource/slowonly_r50_8xb16-8x8x1-256e_imagenet-kinetics400-rgb.py'
    own = Config.fromfile(str(find_config(f'mmaction::{name}')))
    with pytest.raises(UsageError, match='predicts 400 classes, the suite has 8'):
        adapt_config(own, data_cfg)
    head = adapt_config(own, data_cfg, random_weights=True).model.cls_head
    assert head.video_classes == 8 and head.image_classes == 1000
    head = OmniHead(**{key: head[key] for key in head.keys() - {'type'}})
    assert head.fc3d[-1].out_features == 8


def test_a_checkpoint_of_other_classes_is_an_error(data_cfg):
    own = Config.fromfile(str(find_config(f'mmaction::{MODELS["tsn"]}')))
    with pytest.raises(UsageError, match='predicts 400 classes, the suite has 8'):
        adapt_config(own, data_cfg)


@pytest.mark.parametrize('steps', [
    [dict(type='DecordInit'), dict(type='DecordDecode')],
    [SAMPLER, dict(type='Resize')],
    [dict(type='DecordInit'), SAMPLER, dict(type='DecordDecode')],
])
def test_a_pipeline_of_another_form_is_named(steps):
    with pytest.raises(UsageError, match=f'it is {steps[0]["type"]}'):
        adapt_pipeline(steps, 'decord')


def test_frames_and_clips_of_this_project_can_be_read():
    pack = dict(type='PackActionInputs')
    for head in ([SAMPLER, dict(type='RawFrameDecode')], [dict(type='ReadClip', sampler=SAMPLER)]):
        steps = adapt_pipeline([*head, dict(type='Flip'), pack], 'decord')
        assert [step['type'] for step in steps] == ['ReadClip', 'Flip', 'PackActionInputs']
        assert steps[0]['sampler'] == SAMPLER


def test_an_unknown_config_is_named():
    with pytest.raises(UsageError, match='config not found: mmaction::recognition/none.py'):
        find_config('mmaction::recognition/none.py')


@pytest.mark.parametrize('name, clips', [('tsn', 25), ('x3d', 1), ('videomae', 1)])
def test_a_single_view_is_one_clip_of_the_centre(name, clips, data_cfg):
    own = Config.fromfile(str(find_config(f'mmaction::{MODELS[name]}')))
    cfg = adapt_config(own, data_cfg, random_weights=True, single_view=True)
    pipeline, steps = cfg.test_dataloader.dataset.pipeline, own.test_dataloader.dataset.pipeline
    crop = next(step for step in steps if step.type in ('ThreeCrop', 'TenCrop'))
    assert pipeline[0].sampler.num_clips == clips
    assert pipeline[0].sampler.clip_len == steps[1].clip_len
    assert pipeline[steps.index(crop) - 2] == dict(type='CenterCrop', crop_size=crop.crop_size)
    assert not any(step.type in ('ThreeCrop', 'TenCrop') for step in pipeline)


@pytest.mark.parametrize('own, expected', [(None, 'prob'), ('score', 'score')])
def test_views_are_averaged_as_probabilities_unless_the_model_says_how(own, expected, data_cfg):
    cfg = Config.fromfile(str(find_config(f'mmaction::{MODELS["tsn"]}')))
    cfg.model.cls_head.average_clips = own
    head = adapt_config(cfg, data_cfg, random_weights=True).model.cls_head
    assert head.average_clips == expected
