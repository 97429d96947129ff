"""Rows ``*-released``: what the authors' published code sets otherwise than their papers.

DSM's and BE's are in ``tests/methods/test_dsm_configs.py``.
"""
import re
from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.registry import DefaultScope
from recipe_rows import find_method, read_row, resolve

from devias_mm.harness import load_suite
from devias_mm.harness.plan import plan_jobs
from devias_mm.harness.recipes import read_recipe

ROOT = Path(__file__).resolve().parents[2]
CHOI = 'benchmarks/choi_transfer_hmdb51.py'
TRANSFERS = ('hmdb51', 'ucf101', 'diving48')


def choi_stages() -> list:
    """Return the recipes of the published training, the first stage first."""
    both = find_method(f'{CHOI}:both-released')
    stages = [both.pretrain.pretrain.pretrain, both.pretrain.pretrain, both.pretrain]
    assert stages[0].pretrain is None
    return [resolve(stage) for stage in stages]


def test_choi_dampens_the_momentum_in_all_stages():
    stages = [*choi_stages(), read_row(f'{CHOI}:both-released')]
    for cfg, lr in zip(stages, (1e-3, 1e-2, 1e-4, 1e-3)):
        assert cfg.optim_wrapper.optimizer == dict(
            type='SGD', lr=lr, momentum=0.9, dampening=0.9, weight_decay=1e-5)


def test_choi_losses_of_the_stages():
    actions, adversarial, both = (cfg.model for cfg in choi_stages())
    assert actions.losses == () and actions.scene_teacher is None
    assert adversarial.losses == ('adversarial', ) and adversarial.reversal_scale == 1.0
    assert 'losses' not in both  # both
    assert (both.reversal_scale, both.confusion_weight) == (0.5, 0.5)
    assert adversarial.get('optimization', 'alternate') == 'alternate'


def test_choi_warms_the_scene_classifier_up_in_the_second_stage_alone():
    actions, adversarial, both = choi_stages()
    hook = dict(type='TrainNewLayersFirst', prefixes=['scene_head.'], epochs=5)
    assert adversarial.custom_hooks == [dict(type='EpochSeedHook'), hook]
    assert actions.custom_hooks == both.custom_hooks == [dict(type='EpochSeedHook')]
    # 1e-2 while it learns alone, then 1e-4
    schedule, = adversarial.param_scheduler
    assert (schedule.type, schedule.milestones, schedule.gamma) == ('MultiStepLR', [5], 0.01)
    assert schedule.end == adversarial.train_cfg.max_epochs
    assert both.param_scheduler == actions.param_scheduler
    # human boxes are read where humans are masked
    kinds = [[step.type for step in cfg.train_dataloader.dataset.pipeline]
             for cfg in (actions, adversarial, both)]
    assert ['LoadHumanBoxes' in steps for steps in kinds] == [False, False, True]


def test_choi_stages_are_planned_as_a_chain(tmp_path):
    suite = load_suite(ROOT / CHOI)
    names = ['none-released', 'adversarial-released', 'both-released']
    jobs = plan_jobs(suite, ROOT, tmp_path, names)
    actions, adversarial, both = (job.start for job in jobs)
    assert both.start.work_dir == adversarial.work_dir  # trained once for all rows
    assert adversarial.start.work_dir == actions.work_dir
    assert both.cfg.load_from == adversarial.checkpoint
    assert len({actions.work_dir, adversarial.work_dir, both.work_dir}) == 3


@pytest.mark.parametrize('data', TRANSFERS)
def test_choi_fine_tunes_all_layers_on_diving48_alone(data):
    suite = f'benchmarks/choi_transfer_{data}.py'
    released, printed = (read_row(f'{suite}:{name}') for name in ('both-released', 'both'))
    everything = data == 'diving48'
    assert released.optim_wrapper.optimizer.lr == (0.005 if everything else 0.001)
    assert released.model.backbone.backbone.frozen_stages == (-1 if everything else 3)
    assert printed.optim_wrapper.optimizer.lr == 0.001
    assert 'dampening' not in printed.optim_wrapper.optimizer
    assert printed.model.backbone.backbone.frozen_stages == 3
    assert released.num_classes == printed.num_classes
    assert released.data_root == printed.data_root


@pytest.mark.parametrize('data', ['ucf101', 'kinetics400', 'hvu'])
def test_still_mix_ranks_by_an_image_network(data):
    row = f'benchmarks/{data}.py:still-mix-released'
    assert read_row(row).model.data_preprocessor.augments[0].ratio == 0.25
    assert find_method(row).derived[1] == 'tools/data/rank_still_frames.py'
    cfg = read_row(f'{row}/pretrain')
    assert (cfg.optim_wrapper.optimizer.type, cfg.optim_wrapper.optimizer.lr) == ('SGD', 0.04)
    assert cfg.train_cfg.max_epochs == cfg.param_scheduler[0].end == 50
    assert cfg.optim_wrapper.get('constructor') is None  # one rate for all layers
    assert not cfg.load_from  # VideoMAE's
    sampler = cfg.val_dataloader.dataset.pipeline[0].sampler
    assert (sampler.clip_len, sampler.frame_interval) == (1, 0)
    sizes = [step for step in cfg.val_dataloader.dataset.pipeline if step.type == 'Resize']
    assert sizes == [dict(type='Resize', scale=(224, 224), keep_ratio=False)]
    assert not any('Crop' in step.type for step in cfg.val_dataloader.dataset.pipeline)


def torchvision_name(name: str) -> str:
    """Return what torchvision calls a weight of MMAction2's ResNet."""
    name = re.sub(r'downsample\.conv\.', 'downsample.0.', name)
    name = re.sub(r'downsample\.bn\.', 'downsample.1.', name)
    name = re.sub(r'conv(\d)\.bn\.', r'bn\1.', name)
    return re.sub(r'conv(\d)\.conv\.', r'conv\1.', name)


def test_the_image_network_takes_torchvisions_weights(tmp_path):
    backbone = read_recipe('configs/_base_/models/image-r50.py').backbone
    assert backbone.backbone.pretrained == 'checkpoints/resnet50_imagenet1k.pth'
    path = tmp_path / 'resnet50.pth'
    backbone.backbone.pretrained = str(path)
    with DefaultScope.overwrite_default_scope('mmaction'):
        source, network = (MODELS.build(backbone).eval() for _ in range(2))
    weights = {torchvision_name(name): value
               for name, value in source.backbone.state_dict().items()}
    assert {'conv1.weight', 'bn1.running_mean', 'layer1.0.downsample.0.weight',
            'layer1.0.downsample.1.bias', 'layer4.2.conv3.weight'} < set(weights)
    torch.save(weights, path)
    network.init_weights()
    image = torch.randn(1, 3, 1, 224, 224)
    with torch.no_grad():
        expected, found = source(image).tokens, network(image).tokens
    assert expected.shape == (1, 49, 2048)
    torch.testing.assert_close(found, expected)
