"""Downstream and probe configs against the DEVIAS paper (Tables 9-11, 21, 23)."""
from pathlib import Path

import pytest
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope
from test_paper_tables import CLASSES, GPUS, ROOT, augments

# Table 21: base lr, batch of a GPU; Table 23: base lr, flips
TABLE_21 = dict(ucf101=(1e-3, 24), kinetics400=(1e-3, 16), hvu=(5e-4, 16))
TABLE_23 = {'diving48': (5e-4, 1), 'mini-ssv2': (5e-4, 0), 'ucf101': (5e-4, 1),
            'activitynet': (5e-4, 1)}
TRANSFER_CLASSES = {'diving48': 48, 'mini-ssv2': 88, 'ucf101': 101, 'activitynet': 200}


def check_recipe(cfg: Config, lr: float, batch: int, flips: int) -> None:
    """What the rows of Tables 21 and 23 have in common."""
    optimizer = cfg.optim_wrapper.optimizer
    assert optimizer.type == 'AdamW'
    assert optimizer.lr == pytest.approx(lr * batch * GPUS / 256)
    assert (optimizer.weight_decay, optimizer.betas) == (.05, (.9, .999))
    assert cfg.train_dataloader.batch_size == batch
    assert cfg.auto_scale_lr.base_batch_size == batch * GPUS
    warmup, cosine = cfg.param_scheduler
    assert (warmup.type, warmup.end) == ('LinearLR', 5)
    assert (cosine.type, cosine.begin, cosine.end) == ('CosineAnnealingLR', 5, 50)
    assert cfg.train_cfg.max_epochs == 50
    steps = [step.type for step in cfg.train_dataloader.dataset.pipeline]
    assert steps == ['ReadClip', 'RandomResizedCrop', 'Resize', *['Flip'] * flips, 'ColorJitter',
                     'FormatShape', 'PackActionInputs']
    jitter = cfg.train_dataloader.dataset.pipeline[-3]
    assert (jitter.brightness, jitter.contrast, jitter.saturation) == (.4, .4, .4)
    assert not augments(cfg)  # no mixup, CutMix, erasing


def shapes(model: dict) -> dict:
    """Names and shapes of the weights of a recognizer with a backbone of one block."""
    model = dict(model, scene_teacher=None, data_preprocessor=None,
                 backbone=dict(model['backbone'], depth=1))
    with DefaultScope.overwrite_default_scope('mmaction'):
        return {key: value.shape for key, value in MODELS.build(model).state_dict().items()}


def check_start(cfg: Config) -> None:
    """The encoder is the model whose last checkpoint is loaded."""
    folder, file = Path(cfg.load_from).parts[1:]
    source = Config.fromfile(next((ROOT / 'configs').rglob(f'{folder}.py')))
    assert file == f'epoch_{source.train_cfg.max_epochs}.pth'
    needed, given = shapes(cfg.model.encoder), shapes(source.model)
    decoder = {key for key in given if key.startswith('mask_decoder.')}
    assert {**needed, **{key: given[key] for key in decoder}} == given
    # the same computation from the same weights
    defaults = dict(type=None, task='action', slot_attention=None, assignment='hungarian')
    for key, value in defaults.items():
        assert cfg.model.encoder.get(key, value) == source.model.get(key, value), key


@pytest.mark.parametrize('method, source, fusion, inputs', [
    ('devias', 'devias', 'concat', ('action', 'scene')),
    ('devias-gap', 'devias', 'gap', None),
    ('two-token', 'two-token', 'concat', ('action', 'scene')),
    ('two-token-gap', 'two-token', 'gap', None),
    ('naive-action', 'naive-action', 'concat', ('action', )),
    ('naive-scene', 'naive-scene', 'concat', ('scene', ))])
@pytest.mark.parametrize('data', TABLE_23)
def test_downstream(data, method, source, fusion, inputs):  # Tables 11 and 23
    cfg = Config.fromfile(
        ROOT / f'configs/downstream/{method}_vit-base-p16_8xb12-16x4x1-50e_{data}-rgb.py')
    lr, flips = TABLE_23[data]
    check_recipe(cfg, lr, 12, flips)
    assert cfg.optim_wrapper.paramwise_cfg == dict(decay_rate=.75)
    assert cfg.model.encoder.backbone.drop_path_rate == .1
    assert cfg.model.get('dropout', 0.) == cfg.model.encoder.get('dropout', 0.) == 0.
    assert cfg.model.get('task', 'action') == 'action' and not cfg.model.get('frozen', False)
    assert cfg.model.get('fusion', 'concat') == fusion
    if inputs:
        assert tuple(cfg.model.get('inputs', ('action', 'scene'))) == inputs
    assert cfg.num_classes == cfg.model.num_classes == TRANSFER_CLASSES[data]
    assert Path(cfg.load_from).parts[1].startswith(f'{source}_')
    check_start(cfg)


@pytest.mark.parametrize('task, source', [('action', 'scene'), ('scene', 'action')])
@pytest.mark.parametrize('data', TABLE_21)
def test_linear_probe(data, task, source):  # Tables 9, 10 and 21
    lr, batch = TABLE_21[data]
    cfg = Config.fromfile(ROOT / f'configs/linear_probe/{task}-probe_vit-base-p16_8xb{batch}-'
                          f'16x4x1-50e_{data}-rgb.py')
    check_recipe(cfg, lr, batch, 1)
    assert cfg.optim_wrapper.paramwise_cfg == dict(decay_rate=1.)
    model = cfg.model
    assert model.frozen and model.get('dropout', 0.) == 0.
    assert (model.get('task', 'action'), tuple(model.inputs)) == (task, (source, ))
    assert (cfg.num_classes, cfg.num_scene_classes) == CLASSES[data]
    # HVU has scene labels; elsewhere the probe learns those of the Places365 model
    assert ('scene_teacher' in model) == (task == 'scene' and data != 'hvu')
    assert Path(cfg.load_from).parts[1].startswith(f'naive-{source}_')
    check_start(cfg)
