"""BE without labels: its views, its loss and its recipes."""
from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from tiny_models import SIZE

CONFIGS = Path(__file__).resolve().parents[2] / 'configs' / 'be'
RECIPES = sorted(path.name for path in CONFIGS.glob('be-pretrain*.py'))
BACKBONE = dict(type='ConvTokenEncoder', input_size=SIZE, widths=(8, 12, 24), num_heads=3)


def build(type: str = 'BEContrastive', **kwargs) -> torch.nn.Module:
    return MODELS.build(dict(type=type, backbone=BACKBONE, **kwargs))


def test_loss_of_made_up_views():
    """InfoNCE, tau 0.07; negatives: the queue of keys and the query encoder's other clip."""
    model = build(queue_size=9).eval()
    assert (model.momentum, model.temperature) == (0.999, 0.07)
    model.projection.weight.data.add_(0.3 * torch.randn_like(model.projection.weight))
    inputs = torch.randn(4, 3, 3, *SIZE) * torch.tensor([1., 2., 4.]).view(1, 3, 1, 1, 1, 1)
    queue = model.queue.clone()
    losses = model.loss(inputs, None)
    assert [key for key in losses if 'loss' in key] == ['loss_contrastive']
    anchor, negative = model.embed(inputs[:, 0]), model.embed(inputs[:, 2])
    positive = model.embed_keys(inputs[:, 1])
    expected = 0.
    for a, p, n in zip(anchor, positive, negative):
        scores = torch.stack([a @ p, a @ n, *(a @ key for key in queue)]) / 0.07
        expected -= float(scores.log_softmax(0)[0]) / 4
    assert float(losses['loss_contrastive']) == pytest.approx(expected, rel=1e-4)
    torch.testing.assert_close(model.queue[:4], positive)  # not the anchors
    torch.testing.assert_close(model.queue[4:], queue[4:])


def test_triplets():
    model = build('BETriplet').eval()
    assert model.margin == 0.5
    losses = model.loss(torch.randn(4, 3, 3, *SIZE), None)
    assert {key for key in losses if 'loss' in key} == {'loss_triplet', 'loss_inter_video'}


def test_recipes_are_there():
    assert RECIPES == [
        'be-pretrain_conv-tokens_1xb16-8x2x1-10e_puppets-rgb.py',
        'be-pretrain_i3d-r50_8xb8-16x4x1-200e_ucf101-rgb.py',
        'be-pretrain_i3d-r50_8xb8-16x4x1-50e_kinetics400-rgb.py']


def test_released_constants():
    kinetics, ucf = (Config.fromfile(CONFIGS / name) for name in (RECIPES[2], RECIPES[1]))
    assert kinetics.train_cfg.max_epochs == 50 and ucf.train_cfg.max_epochs == 200
    assert kinetics.model.get('queue_size', 65536) == 65536 and ucf.model.queue_size == 3569
    for cfg in (kinetics, ucf):
        optimizer = cfg.optim_wrapper.optimizer
        assert (optimizer.type, optimizer.lr, optimizer.momentum, optimizer.weight_decay) == (
            'SGD', 0.003, 0.9, 1e-4)
        assert cfg.param_scheduler[0].milestones == [120, 160, 200]
        assert cfg.train_dataloader.batch_size == 8  # 64 on 8 GPUs
        read, views = cfg.train_dataloader.dataset.pipeline[:2]
        assert (read.sampler.clip_len, read.sampler.frame_interval) == (16, 4)
        assert tuple(read.sampler.shift_range) == (4, None)
        assert tuple(views.clips) == (0, 0, 1)  # the positive is a crop of the same clip
        anchor, positive, negative = views.views
        assert anchor == positive == negative
        *basic, erasing = cfg.model.data_preprocessor.views[0]
        assert cfg.model.data_preprocessor.views[1:] == [basic, basic]
        assert basic == [dict(type='RandomRotation', degrees=10),
                         dict(type='ClipColorJitter', brightness=0.5, contrast=0.5,
                              saturation=0.25, hue=0.5)]
        assert erasing == dict(type='BackgroundErasing', max_weight=0.3, ratio=1.,
                               weight_per_clip=False)


@pytest.mark.parametrize('name', RECIPES)
def test_a_step_of_each_recipe(name):
    init_default_scope('mmaction')
    cfg = Config.fromfile(CONFIGS / name)
    size = 48 if 'puppets' in name else 32
    frames = cfg.train_dataloader.dataset.pipeline[0].sampler.clip_len
    if cfg.model.backbone.type == 'FeatureMapTokens':
        cfg.model.backbone.update(input_size=(16, size, size))
        cfg.model.backbone.backbone.base_channels = 4
    cfg.model.queue_size = 16
    model = MODELS.build(cfg.model)
    model.init_weights()
    before = {key: value.detach().clone() for key, value in model.named_parameters()}
    data = dict(data_samples=[ActionDataSample().set_gt_label(0) for _ in range(2)], inputs=[
        torch.randint(256, (3, 3, frames, size, size), dtype=torch.uint8) for _ in range(2)])
    log = model.train().train_step(data, build_optim_wrapper(model, cfg.optim_wrapper))
    assert torch.isfinite(log['loss'])
    moved = {key.split('.')[0] for key, value in model.named_parameters()
             if not torch.equal(value, before[key])}
    assert moved >= {'backbone', 'projection'} and 'key_encoder' not in moved
