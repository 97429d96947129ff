"""DSM's recipes: views, flow and model fit together, and the switches of Table 4 differ."""
from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from recipe_rows import read_row, resolve

from devias_mm.harness import load_suite

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / 'configs' / 'dsm'
ABLATION = '_i3d-r50_16xb8-16x4x1-200e_kinetics400-rgb.py'
SUITES = ('ucf101_pretraining', 'ucf101_dsm_ablations', 'puppets_pretraining')
PRETRAIN = {f'{suite}:{name}': method.pretrain for suite in SUITES
            for name, method in load_suite(ROOT / f'benchmarks/{suite}.py').methods.items()
            if method.pretrain}


def shrink(cfg: Config, size: int) -> None:
    """Few channels and small clips for the encoders of the real data sets."""
    backbone = cfg.model.backbone
    if backbone.type == 'FeatureMapTokens':
        backbone.input_size = (16, size, size)
        if backbone.backbone.type == 'ResNet3d':
            backbone.backbone.base_channels = 4
        else:
            del cfg.model.backbone
            cfg.model.backbone = dict(
                type='ConvTokenEncoder', input_size=(16, size, size), widths=(8, 16))


@pytest.mark.parametrize('name', PRETRAIN)
def test_pretraining_takes_a_step(name):
    """With the views of the config's own pipeline; all but the key encoder learns."""
    init_default_scope('mmaction')
    cfg = resolve(PRETRAIN[name])
    size = 48 if 'puppets' in name else 32
    shrink(cfg, size)
    steps = cfg.train_dataloader.dataset.pipeline
    views = len(next(step for step in steps if step.type == 'ContrastiveViews').views)
    with_flow = any(step.type == 'BackwardFlow' for step in steps)
    assert ('flow' in steps[-1].get('algorithm_keys', ())) >= with_flow
    frames = steps[0].sampler.clip_len
    samples = []
    for label in range(2):
        sample = ActionDataSample().set_gt_label(label)
        if with_flow:
            sample.set_field(torch.randn(2, frames - 1, size, size).half(), 'flow')
        samples.append(sample)
    data = dict(data_samples=samples, inputs=[
        torch.randint(256, (views, 3, frames, size, size), dtype=torch.uint8) for _ in samples])
    if 'queue_size' in cfg.model or cfg.model.type in ('MoCo', 'DSM'):
        cfg.model.queue_size = 16
    model = MODELS.build(cfg.model)
    model.init_weights()
    before = {key: value.detach().clone() for key, value in model.named_parameters()}
    log = model.train().train_step(data, build_optim_wrapper(model, cfg.optim_wrapper))
    assert torch.isfinite(log['loss'])
    moved = {key.split('.')[0] for key, value in model.named_parameters()
             if not torch.equal(value, before[key])}
    # in its first step the key encoder is pulled towards an equal one
    assert moved >= {'backbone', 'projection'}
    assert 'key_encoder' not in moved


def test_paper_settings():
    cfg = Config.fromfile(FOLDER / f'dsm-pretrain{ABLATION}')
    model = MODELS.get(cfg.model.type)
    assert model.__name__ == 'DSM'
    assert cfg.model.get('queue_size', 6536) == 6536
    assert [view and view[0].type for view in cfg.model.data_preprocessor.views] == [
        [], 'SpatialWarp', 'MotionScaling']
    assert cfg.train_dataloader.dataset.pipeline[0].sampler.shift_range == (4, 30)
    ucf = Config.fromfile(FOLDER / 'dsm-pretrain_c3d_16xb8-16x4x1-200e_ucf101-rgb.py')
    pipeline = ucf.train_dataloader.dataset.pipeline
    assert pipeline[0].sampler.shift_range == (2, 20)
    assert [view[1].scale for view in pipeline[1].views] == [(112, 112)] * 3
    for method in ('dsm', 'dsm-triplet'):  # Tables 2 and 3: I3D on UCF-101
        i3d = resolve(PRETRAIN[f'ucf101_pretraining:{method}-i3d-r50-ucf101'])
        twin = resolve(PRETRAIN[f'ucf101_pretraining:{method}-i3d-r50'])
        steps = i3d.train_dataloader.dataset.pipeline
        assert steps[0].sampler.shift_range == (2, 20) and i3d.num_classes == 101
        assert steps[1:] == twin.train_dataloader.dataset.pipeline[1:]
        assert i3d.model == twin.model and i3d.optim_wrapper == twin.optim_wrapper
    assert cfg.optim_wrapper.optimizer.lr == 0.003
    assert cfg.param_scheduler[0].milestones == [80, 120, 160]
    tuned = read_row('benchmarks/ucf101_pretraining.py:dsm-i3d-r50')
    assert tuned.optim_wrapper.optimizer.lr == 0.1
    assert tuned.test_dataloader.dataset.pipeline[0].sampler.num_clips == 10
    # only a pre-training gives it weights
    assert not tuned.get('load_from') and not tuned.model.backbone.get('init_cfg')


@pytest.mark.parametrize('row, views, warped, scaled, shift', [
    ('warp', 2, True, None, None), ('disturb', 3, False, True, (4, 30)),
    ('warp-flow', 3, True, True, (0, 0)), ('warp-shift', 3, True, False, (4, 30))])
def test_rows_of_table_4(row, views, warped, scaled, shift):
    cfg = resolve(PRETRAIN[f'ucf101_dsm_ablations:{row}'])
    steps = cfg.train_dataloader.dataset.pipeline
    augments = cfg.model.data_preprocessor.views
    assert len(steps[1].views) == len(augments) == views
    assert bool(augments[1]) == warped
    # the positive has basic augmentation where it is not warped
    assert len(steps[1].views[1]) == (2 if warped else 4)
    assert cfg.model.type == ('MoCo' if views == 2 else 'DSM')
    if views == 3:
        assert bool(augments[2]) == scaled
        assert any(step.type == 'BackwardFlow' for step in steps) == scaled
        assert tuple(steps[0].sampler.shift_range) == shift
        assert steps[1].clips == (0, 0, 1)


@pytest.mark.parametrize('suite', [
    'ucf101_pretraining', 'hmdb51_pretraining', 'kinetics400_limited_labels',
    'ucf101_dsm_ablations', 'hmdb51_dsm_ablations', 'puppets_pretraining',
    'puppets_limited_labels'])
def test_fine_tuning_takes_the_encoder_of_its_pretraining(suite):
    methods = load_suite(ROOT / f'benchmarks/{suite}.py').methods
    started = {name: method for name, method in methods.items() if method.pretrain}
    assert all(('scratch' in name) == (name not in started) for name in methods)
    for name, method in started.items():
        tuned, pretrained = resolve(method), resolve(method.pretrain)
        assert pretrained.model.type == kind(name), name
        encoders = [dict(cfg.model.backbone) for cfg in (tuned, pretrained)]
        if name.startswith('be-'):  # more frames of the same encoder
            sizes = [encoder.pop('input_size') for encoder in encoders]
            assert [size[1:] for size in sizes] == [sizes[0][1:]] * 2, name
        assert encoders[0] == encoders[1], name


def kind(name: str) -> str:
    """The model that a row pre-trains with; an ablation without a negative is a MoCo."""
    prefixes = {'moco': 'MoCo', 'warp-': 'DSM', 'warp': 'MoCo', 'dsm-triplet': 'DSMTriplet',
                'be-triplet': 'BETriplet', 'be': 'BEContrastive'}
    for prefix, model in prefixes.items():
        if name.startswith(prefix):
            return model
    return 'DSM'


RELEASED = [name for name in PRETRAIN if 'released' in name]
BASIC = [dict(type='RandomRotation', degrees=10),
         dict(type='ClipColorJitter', brightness=0.5, contrast=0.5, saturation=0.25, hue=0.5)]


@pytest.mark.parametrize('name', RELEASED)
def test_released_constants(name):
    cfg = resolve(PRETRAIN[name])
    printed = resolve(PRETRAIN[name.replace('-released', '')])
    assert cfg.model.backbone == printed.model.backbone
    if 'triplet' in name:
        assert cfg.model.type == 'DSMTriplet' and cfg.model.inter_video
    else:
        model = cfg.model
        assert (model.temperature, model.momentum, model.queue_size) == (0.07, 0.999, 3569)
        assert model.bank == 'positive'
    assert cfg.optim_wrapper.optimizer == dict(
        type='SGD', lr=0.003, momentum=0.9, weight_decay=1e-4)
    assert cfg.param_scheduler[0].milestones == [120, 160, 200]
    assert cfg.train_cfg.max_epochs == cfg.param_scheduler[0].end == 240
    anchor, positive, negative = cfg.model.data_preprocessor.views
    assert anchor == [dict(type='LocalShifts', maximum=3), *BASIC]
    assert positive == BASIC
    # the flow is that of the crop as it was cut: it is used before the rotation
    assert negative == [dict(type='MotionScaling', maximum=5.0), *BASIC]


@pytest.mark.parametrize('name', RELEASED)
def test_released_clips(name):
    steps = resolve(PRETRAIN[name]).train_dataloader.dataset.pipeline
    assert steps[0].sampler.shift_range == (4, None)
    assert steps[1].type == 'ContrastiveViews' and steps[1].clips == (0, 0, 1)
    scale, size = ((-1, 128), 112) if 'c3d' in name else ((-1, 256), 224)
    crop = [dict(type='Resize', scale=scale), dict(type='RandomCrop', size=size)]
    assert steps[1].views == [crop] * 3


@pytest.mark.parametrize('data', ['ucf101', 'hmdb51'])
@pytest.mark.parametrize('row, epochs, queue, classes', [
    ('i3d-r50', 50, None, 400), ('i3d-r50-ucf101', 200, 3569, 101)])
def test_be_without_labels(data, row, epochs, queue, classes):
    methods = load_suite(ROOT / f'benchmarks/{data}_pretraining.py').methods
    for name in (f'be-{row}', f'be-triplet-{row}'):
        check_be_pretraining(resolve(methods[name].pretrain), epochs, classes)
        check_be_fine_tuning(resolve(methods[name]))
    bank, triplets = (resolve(methods[f'{name}-{row}'].pretrain) for name in ('be', 'be-triplet'))
    assert bank.model.get('queue_size') == queue  # else the default, 65536
    assert 'queue_size' not in triplets.model
    tuned = resolve(methods[f'be-{row}'])
    assert tuned.num_classes == tuned.model.num_classes == dict(ucf101=101, hmdb51=51)[data]


def check_be_pretraining(cfg: Config, epochs: int, classes: int) -> None:
    """What BE's published code sets, whatever it is trained on."""
    assert cfg.num_classes == classes  # the data set's
    assert cfg.optim_wrapper.optimizer == dict(
        type='SGD', lr=0.003, momentum=0.9, weight_decay=1e-4)
    schedule, = cfg.param_scheduler
    assert (schedule.milestones, schedule.gamma) == ([120, 160, 200], 0.1)
    assert cfg.train_cfg.max_epochs == schedule.end == epochs
    assert 8 * cfg.train_dataloader.batch_size == cfg.auto_scale_lr.base_batch_size == 64
    reader, contrast = cfg.train_dataloader.dataset.pipeline[:2]
    sampler = reader.sampler
    assert (sampler.clip_len, sampler.frame_interval, sampler.shift_range) == (16, 4, (4, None))
    crop = [dict(type='Resize', scale=(-1, 256)), dict(type='RandomCrop', size=224)]
    assert contrast.views == [crop] * 3
    anchor, positive, negative = cfg.model.data_preprocessor.views
    assert positive == negative == anchor[:2] == BASIC
    assert anchor[2] == dict(
        type='BackgroundErasing', max_weight=0.3, ratio=1.0, weight_per_clip=False)
    assert not cfg.model.backbone.init_cfg


def check_be_fine_tuning(cfg: Config) -> None:
    """The published fine-tuning."""
    optimizer, schedule = cfg.optim_wrapper.optimizer, cfg.param_scheduler[0]
    assert (optimizer.type, optimizer.lr, optimizer.momentum) == ('SGD', 0.001, 0.9)
    assert (schedule.milestones, schedule.gamma) == ([10, 20, 25, 30, 35, 40], 0.3)
    assert cfg.train_cfg.max_epochs == schedule.end == 45
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        assert loader.dataset.pipeline[0].sampler.clip_len == 64
    assert cfg.test_dataloader.dataset.pipeline[0].sampler.num_clips == 10
    assert cfg.model.backbone.input_size == (64, 224, 224)
    assert cfg.model.dropout == 0.5
