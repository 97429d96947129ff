"""The recipes against the hyper-parameters of the DEVIAS paper (Tables 6, 12, 14-20, 22)."""
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from recipe_rows import read_row

from devias_mm.harness import load_suite

ROOT = Path(__file__).resolve().parents[1]
GPUS = 8  # the default of the configs; the paper gives the batch of a GPU
EPOCHS = dict(ucf101=100, kinetics400=100, hvu=50)
CLASSES = dict(ucf101=(101, 365), kinetics400=(400, 365), hvu=(739, 248))

# rows of the tables: base lr, drop out, drop path; UCF-101, Kinetics-400, HVU
TABLE_16 = dict(ucf101=(5e-4, .5, .2), kinetics400=(1e-3, 0., .1), hvu=(5e-4, 0., .1))
TABLE_17 = {name: TABLE_16[name] for name in ('ucf101', 'kinetics400')}
TABLE_18 = dict(ucf101=(5e-4, 0., .2), kinetics400=(1e-3, 0., .1), hvu=(5e-4, 0., .1))
TABLE_19 = TABLE_17
TABLE_20 = TABLE_16
TABLE_22 = dict(ucf101=(5e-4, .5, .2), kinetics400=(5e-4, 0., .1), hvu=(5e-4, 0., .1))
# method of the suites `ucf101`, `kinetics400` and `hvu`
METHODS = {
    'naive': TABLE_16, 'naive-aug': TABLE_17, 'naive-scene': TABLE_18, 'be': TABLE_19,
    'fame': TABLE_20, 'one-token': TABLE_16, 'two-token': TABLE_16, 'one-token-unified': TABLE_16,
    'two-token-unified': TABLE_16, 'two-token-be': TABLE_19, 'two-token-fame': TABLE_20,
    'devias': TABLE_22}
CASES = [(method, data) for method, table in METHODS.items() for data in table]

# Table 22: tau, rho, M
TABLE_22_DEVIAS = dict(ucf101=(.3, .4, 4), kinetics400=(.5, .8, 8), hvu=(.5, .25, 8))


def load(method: str, data: str) -> Config:
    return read_row(f'benchmarks/{data}.py:{method}')


def augments(cfg: Config) -> dict:
    """The batch augmentations by type."""
    return {item.type: item for item in cfg.model.data_preprocessor.get('augments', [])}


@pytest.mark.parametrize('method, data', CASES)
def test_rows_that_all_tables_share(method, data):
    cfg = load(method, data)
    lr, dropout, drop_path = METHODS[method][data]
    optimizer = cfg.optim_wrapper.optimizer
    assert optimizer.type == 'AdamW'
    # supp. B: lr = base lr x batch of a GPU x GPUs / 256
    assert optimizer.lr == pytest.approx(lr * 12 * GPUS / 256)
    assert optimizer.weight_decay == .05
    assert optimizer.betas == (.9, .999)
    assert cfg.train_dataloader.batch_size == 12
    assert cfg.optim_wrapper.paramwise_cfg.decay_rate == .75
    warmup, cosine = cfg.param_scheduler
    assert (warmup.type, warmup.end) == ('LinearLR', 5)
    assert cosine.type == 'CosineAnnealingLR'
    assert (cosine.begin, cosine.end) == (5, EPOCHS[data])
    assert cfg.train_cfg.max_epochs == EPOCHS[data]
    assert cfg.model.get('dropout', 0.) == dropout
    assert cfg.model.backbone.drop_path_rate == drop_path
    assert (cfg.num_classes, cfg.num_scene_classes) == CLASSES[data]


@pytest.mark.parametrize('method, data', [
    *(case for case in CASES if case != ('devias', 'ucf101')),
    *((method, data) for data in EPOCHS for method in (
        'scene-adversarial', 'actor-cutmix', 'still-mix', 'videomix'))])
def test_videomae_weights_are_those_of_the_data_set(method, data):
    """Supp. B: pre-trained on the target data set, for HVU on Kinetics-400."""
    pretrained = dict(ucf101='ucf101', kinetics400='kinetics400', hvu='kinetics400')[data]
    assert load(method, data).load_from == f'checkpoints/vit-base-p16_videomae-{pretrained}.pth'


@pytest.mark.parametrize('method, data', CASES)
def test_augmentations(method, data):
    cfg = load(method, data)
    steps = {step.type: step for step in cfg.train_dataloader.dataset.pipeline}
    assert steps['Flip'].flip_ratio == .5
    jitter = steps['ColorJitter']
    assert (jitter.brightness, jitter.contrast, jitter.saturation) == (.4, .4, .4)
    # supp. B: 16 frames, every fourth, 224 x 224; 2 clips x 3 crops of 256 x 256
    sampler = cfg.train_dataloader.dataset.pipeline[0].sampler
    assert (sampler.clip_len, sampler.frame_interval) == (16, 4)
    assert steps['Resize'].scale == (224, 224)
    test = {step.type: step for step in cfg.test_dataloader.dataset.pipeline}
    assert test['ReadClip'].sampler.num_clips == 2
    assert test['Resize'].scale == (256, 256)
    assert 'ThreeCropViews' in test
    found = all_augments(cfg)
    if method.endswith('-aug'):  # Table 17
        assert set(found) == {'OneOf', 'Mixup', 'CutMix', 'RandomErasing'}
        assert (found['Mixup'].alpha, found['CutMix'].alpha) == (.8, 1.)
        assert found['RandomErasing'].prob == .25
    else:
        assert not {'Mixup', 'CutMix', 'RandomErasing'} & set(found)
        assert not any('Erasing' in step or 'RandAugment' in step for step in steps)


def all_augments(cfg: Config) -> dict:
    """All augmentations by type, those within others included."""
    found, stack = {}, list(cfg.model.data_preprocessor.get('augments', []))
    while stack:
        node = stack.pop()
        found[node.type] = node
        stack.extend(node.get('augments', []))
    return found


@pytest.mark.parametrize('data, classes', [('places365', 365), ('sun397', 397)])
def test_scene_model(data, classes):  # Table 15
    cfg = Config.fromfile(
        ROOT / f'configs/scene_model/scene-model_vit-base-p16_8xb32-16x1x1-100e_{data}-rgb.py')
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.weight_decay, optimizer.betas) == ('AdamW', .05, (.9, .999))
    # the rule counts the update frequency, as VideoMAE's code does
    assert optimizer.lr == pytest.approx(5e-4 * 2 * 32 * GPUS / 256)
    assert cfg.train_dataloader.batch_size == 32
    assert cfg.optim_wrapper.accumulative_counts == 2  # update frequency
    assert cfg.optim_wrapper.paramwise_cfg.decay_rate == .65
    assert (cfg.model.backbone.drop_path_rate, cfg.model.label_smoothing) == (.1, .1)
    found = all_augments(cfg)
    assert (found['Mixup'].alpha, found['CutMix'].alpha) == (.8, 1.)
    assert cfg.train_dataloader.dataset.pipeline[0].transforms[-1] == dict(
        type='Flip', flip_ratio=.5)
    assert [scheduler.end for scheduler in cfg.param_scheduler] == [5, 100]
    assert cfg.train_cfg.max_epochs == 100
    assert cfg.model.num_classes == classes
    # the teacher that its checkpoint becomes: names and shapes of all weights are the same
    teacher = Config.fromfile(ROOT / 'configs/_base_/models/places365_teacher.py').scene_teacher
    model = dict(cfg.model, backbone=dict(cfg.model.backbone, depth=1))
    teacher = dict(teacher, num_scene_classes=classes, init_cfg=None,
                   backbone=dict(teacher.backbone, depth=1))
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        own, needed = (MODELS.build(part).state_dict() for part in (model, teacher))
    assert {key: value.shape for key, value in own.items()} == {
        key: value.shape for key, value in needed.items()}


@pytest.mark.parametrize('method', ['be', 'two-token-be'])
@pytest.mark.parametrize('data', TABLE_19)
def test_be(method, data):  # Table 19: mixing weight ~ U(0, 0.3), rho
    assert augments(load(method, data)) == dict(
        BackgroundErasing=dict(type='BackgroundErasing', max_weight=.3, ratio=.5))


@pytest.mark.parametrize('method', ['fame', 'two-token-fame'])
@pytest.mark.parametrize('data', TABLE_20)
def test_fame(method, data):  # Table 20: tau, rho
    found = augments(load(method, data))
    assert list(found) == ['FAMEMasks', 'SceneMix']
    assert (found['FAMEMasks'].tau, found['SceneMix'].ratio) == (.5, .5)


@pytest.mark.parametrize('data', TABLE_22_DEVIAS)
@pytest.mark.parametrize('method', ['devias', 'devias-official'])
def test_devias(data, method):  # Table 22
    cfg = load(method, data)
    tau, rho, iters = TABLE_22_DEVIAS[data]
    found = augments(cfg)
    assert list(found) == ['FAMEMasks', 'SceneMix']
    assert (found['FAMEMasks'].tau, found['SceneMix'].ratio) == (tau, rho)
    assert cfg.model.slot_attention.num_iters == iters
    assert cfg.model.slot_attention.num_slots == 2
    assert cfg.optim_wrapper.paramwise_cfg.lr_mult == {'slot_attention': .1}
    if data == 'ucf101':  # supp. B: fine-tuned for its actions
        assert cfg.load_from == 'checkpoints/vit-base-p16_ucf101.pth'
    # HVU has scene labels; elsewhere a Places365 model gives them
    assert ('scene_teacher' in cfg.model) == (data != 'hvu')
    for term in cfg.model.get('losses', {}).values():  # alpha, beta, gamma
        assert term.get('weight', 1.0) == 1.0
    if method == 'devias':  # the published code is the default of every option
        assert set(cfg.model) <= {
            'type', 'backbone', 'slot_attention', 'dropout', 'num_classes', 'num_scene_classes',
            'scene_teacher', 'scene_scores', 'data_preprocessor'}
        assert set(cfg.model.slot_attention) == {'num_slots', 'num_iters'}


@pytest.mark.parametrize('data', EPOCHS)
def test_albar_takes_the_batch_of_the_others_in_parts(data):
    cfg = load('albar', data)
    batch, optim = cfg.train_dataloader.batch_size, cfg.optim_wrapper
    assert GPUS * batch * optim.accumulative_counts == 12 * GPUS
    # what --auto-scale-lr compares with: GPUs x batch, without the accumulation
    assert cfg.auto_scale_lr.base_batch_size == GPUS * batch
    # the released rate, in all layers alike
    assert (optim.optimizer.lr, optim.paramwise_cfg.decay_rate) == (1e-5, 1.)
    assert (optim.optimizer.type, optim.optimizer.weight_decay) == ('AdamW', .05)
    assert [scheduler.end for scheduler in cfg.param_scheduler] == [5, 50]
    assert cfg.load_from == f'checkpoints/vit-base-p16_{data}.pth'


def changes(base, other, path: str = '') -> dict:
    """What differs between two configs: ``path -> value`` of the other (None: gone)."""
    if isinstance(base, dict) and isinstance(other, dict):
        found = {}
        for key in sorted({*base, *other}):
            found.update(changes(base.get(key), other.get(key), f'{path}.{key}'.lstrip('.')))
        return found
    return {} if base == other else {path: other}


PRINTED_SLOTS = {
    'model.slot_attention.num_heads': 1, 'model.slot_attention.head_dims': None,
    'model.slot_attention.attn_norm': 'l2', 'model.slot_attention.out_proj': False,
    'model.slot_attention.mlp_norm': False, 'model.slot_attention.final_norm': False}


@pytest.mark.parametrize('data', TABLE_22_DEVIAS)
def test_print_names_every_option_in_which_paper_and_code_differ(data):
    cfg = load('devias-print', data)
    found = changes(load('devias', data)._cfg_dict, cfg._cfg_dict)
    masks = found.pop('model.data_preprocessor.augments')[0]
    assert 'blur_size' not in masks
    assert {key: found.pop(key, None) for key in PRINTED_SLOTS} == PRINTED_SLOTS
    assert found.pop('model.losses') == dict(
        scene=dict(type='SceneCrossEntropy'),
        mask=dict(type='MaskDecoding', target='frames', sigmoid_twice=False),
        guidance=dict(type='AttentionGuidance', reduction='sum'),
        cosine=dict(type='PrintedSlotCosine'))
    assert found == {'model.assignment_cost': 'cross_entropy', 'model.action_scores': 'part',
                     'model.scene_scores': 'part'}


@pytest.mark.parametrize('data', TABLE_22_DEVIAS)
def test_official_changes_the_views_alone(data):
    found = changes(load('devias', data)._cfg_dict, load('devias-official', data)._cfg_dict)
    pipeline = {step.type: step for step in found.pop('test_dataloader.dataset.pipeline')}
    assert not found
    assert pipeline['Resize'].scale == (-1, 224)
    # HVU: 1 clip x 1 crop
    assert ('CenterCrop' if data == 'hvu' else 'ThreeCrop') in pipeline
    assert pipeline['ReadClip'].sampler.get('num_clips', 1) == (1 if data == 'hvu' else 2)


@pytest.mark.parametrize('data', TABLE_22_DEVIAS)
def test_the_published_blur_and_scores(data):
    cfg = load('devias', data)
    assert cfg.model.data_preprocessor.augments[0].blur_size == 11
    assert cfg.model.get('scene_scores', 'own') == ('all' if data == 'hvu' else 'own')
    assert 'losses' not in cfg.model and 'assignment_cost' not in cfg.model


# Tables 6 and 14: what each row changes in the UCF-101 config
ABLATIONS = {
    'no-slots': {  # 6 (a); 14 (b) fifth row
        'model.slot_attention': None,
        'model.backbone.num_extra_tokens': 2,
        'optim_wrapper.paramwise_cfg.lr_mult.slot_attention': None},
    'no-amd': {'model.losses': dict(mask=None, guidance=None)},  # 6 (b); 14 (b) first row
    'pixel': {'model.losses': dict(mask=dict(type='PixelDecoding'))},  # 6 (c)
    'decode-scene': {
        'model.losses': dict(mask=dict(type='MaskDecoding', slots=('scene', )))},
    'decode-both': {
        'model.losses': dict(mask=dict(type='MaskDecoding', slots=('action', 'scene')))},
    '2-iters': {'model.slot_attention.num_iters': 2},  # 6 (d)
    'untied': {'model.slot_attention.tied': False},
    '4-slots': {'model.slot_attention.num_slots': 4},
    'hard': {'model.assignment': 'hard'},  # 6 (g)
    'greedy': {'model.assignment': 'greedy'},
    'keys-softmax': {'model.slot_attention.softmax_axis': 'tokens'},  # 6 (h)
    'segformer': {'model.data_preprocessor.augments': [
        dict(type='SegFormerMasks'), dict(type='SceneMix', ratio=.4)]},  # 6 (i)
    'no-cosine': {'model.losses': dict(cosine=None)},  # 14 (a)
    'no-guidance': {'model.losses': dict(guidance=None)},  # 14 (b)
    'no-mask-decoder': {'model.losses': dict(mask=None)},
}


ABLATION_SUITE = 'benchmarks/ucf101_ablations.py'


@pytest.mark.parametrize('name', ABLATIONS)
def test_an_ablation_changes_its_switch_alone(name):
    found = changes(load('devias', 'ucf101')._cfg_dict,
                    read_row(f'{ABLATION_SUITE}:{name}')._cfg_dict)
    assert found == ABLATIONS[name]


def test_every_ablation_is_in_the_tables():
    names = set(load_suite(ROOT / ABLATION_SUITE).methods)
    assert names == {'devias', 'two-token-fame', *ABLATIONS}


@pytest.mark.parametrize('suite', ['ucf101_ablations', 'ucf101_scene_models', 'ucf101_backbones'])
def test_splits_of_the_ablations(suite):  # Tables 6, 12 and 14: other ones than Table 2
    suite = load_suite(ROOT / f'benchmarks/{suite}.py')
    assert suite.splits == ('seen', 'scuba-vqgan', 'hat-scene-only')
    columns = {metric.name: metric.splits for metric in suite.protocol.metrics}
    assert columns['action_seen'] == columns['scene_seen'] == ('seen', )
    assert columns['action_unseen'] == ('scuba-vqgan', )
    assert columns['scene_unseen'] == ('hat-scene-only', )
    assert dict(suite.protocol.topk) == dict(action=1, scene=5)


@pytest.mark.parametrize('method', ['two-token', 'two-token-fame', 'devias'])
@pytest.mark.parametrize('scenes, classes', [('sun397', 397), ('clip', 365)])
def test_other_scene_models(method, scenes, classes):  # Table 12
    cfg = read_row(f'benchmarks/ucf101_scene_models.py:{method}-{scenes}')
    assert cfg.num_scene_classes == cfg.model.num_scene_classes == classes
    assert cfg.model.scene_teacher.num_scene_classes == classes
    found = {key for key in changes(load(method, 'ucf101')._cfg_dict, cfg._cfg_dict)
             if not key.startswith('model.scene_teacher')}
    # the labels of another teacher are other files
    files = {f'test_cfg.splits.{name}.scene_label_file': split.scene_label_file
             for name, split in cfg.test_cfg.splits.items()}
    for name, split in cfg.test_cfg.splits.items():
        assert split.scene_label_file == f'annotations/scenes_{scenes}/{name}.parquet'
    assert found >= set(files)
    found -= set(files)
    loaders = {f'{name}_dataloader.dataset.num_scene_classes' for name in ('train', 'val', 'test')}
    assert found == ({'num_scene_classes', 'model.num_scene_classes', *loaders}
                     if scenes == 'sun397' else set())
    if scenes == 'clip':
        assert cfg.model.scene_teacher.type == 'ClipSceneTeacher'


@pytest.mark.parametrize('backbone', ['i3d', 'omnivore'])
@pytest.mark.parametrize('method', [
    'naive', 'naive-scene', 'two-token', 'two-token-fame', 'devias'])
def test_other_backbones(method, backbone):  # Table 14 (c), (d): the recipe is that of the ViT
    vit = load(method, 'ucf101')
    cfg = read_row(f'benchmarks/ucf101_backbones.py:{method}-{backbone}')
    found = {key for key in changes(vit._cfg_dict, cfg._cfg_dict)
             if not key.startswith(('model.backbone', 'load_from'))}
    optimizer = {'optim_wrapper.constructor'} | {
        f'optim_wrapper.paramwise_cfg.{key}'
        for key in ('decay_rate', 'norm_decay_mult', 'bias_decay_mult')}
    if method == 'devias':
        optimizer |= {f'optim_wrapper.paramwise_cfg.{key}'
                      for key in ('lr_mult', 'custom_keys')}
        assert cfg.optim_wrapper.paramwise_cfg.custom_keys == {'slot_attention': {'lr_mult': .1}}
    if backbone == 'omnivore':  # Tables 16, 18, 20: drop path; I3D has none
        assert cfg.model.backbone.backbone.drop_path_rate == vit.model.backbone.drop_path_rate == .2
    # tokens are normalised in front of the mean where the fine-tuned ViT does it behind
    assert found - {'model.pool_norm'} == optimizer


def built(data: str):
    """Small DEVIAS of a config with its optimizer."""
    cfg = load('devias', data)
    cfg.model.backbone.update(img_size=32, embed_dims=24, num_heads=2, depth=3)
    cfg.model.pop('scene_teacher', None)
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        return cfg, build_optim_wrapper(MODELS.build(cfg.model), cfg.optim_wrapper)


def test_learning_rates_of_layers_and_slots():
    cfg, wrapper = built('ucf101')
    scales = {round(group['lr'] / cfg.optim_wrapper.optimizer.lr, 6)
              for group in wrapper.optimizer.param_groups}
    # three blocks: head 1, slots 0.1, blocks and patch embedding 0.75^1 ... 0.75^4
    assert scales == {1., .1, *(round(.75**i, 6) for i in (1, 2, 3, 4))}


@pytest.mark.parametrize('gpus, factor', [(2, .25), (8, 1.), (24, 3.)])
def test_auto_scale_lr(gpus, factor):
    cfg, wrapper = built('hvu')
    before = [group['lr'] for group in wrapper.optimizer.param_groups]
    runner = SimpleNamespace(_train_dataloader=dict(batch_size=12), world_size=gpus,
                             param_schedulers=cfg.param_scheduler,
                             logger=MMLogger.get_current_instance())
    Runner.scale_lr(runner, wrapper, dict(cfg.auto_scale_lr, enable=True))
    after = [group['lr'] for group in wrapper.optimizer.param_groups]
    torch.testing.assert_close(torch.tensor(after), factor * torch.tensor(before))
