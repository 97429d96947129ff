"""Downstream and probe recipes against the DEVIAS paper (Tables 9-11, 21, 23)."""
import pytest
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope
from recipe_rows import find_method, resolve
from test_paper_tables import CLASSES, GPUS, augments

from devias_mm.harness import Method

# Table 21: base lr, batch of a GPU; Table 23: base lr, flips
TABLE_21 = dict(ucf101=(1e-3, 24), kinetics400=(1e-3, 16), hvu=(5e-4, 16))
TABLE_23 = {'diving48': (5e-4, 1), 'mini_ssv2': (5e-4, 0), 'ucf101': (5e-4, 1),
            'activitynet': (5e-4, 1)}
TRANSFER_CLASSES = {'diving48': 48, 'mini_ssv2': 88, 'ucf101': 101, 'activitynet': 200}


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


def check_start(method: Method, cfg: Config) -> None:
    """The encoder is the model whose last checkpoint is loaded."""
    source = resolve(method.pretrain)
    needed, given = shapes(cfg.model.encoder), shapes(source.model)
    decoder = {key for key in given if key.startswith('mask_decoder.')}
    assert {**needed, **{key: given[key] for key in decoder}} == given
    # the same computation from the same weights
    defaults = dict(type=None, task='action', slot_attention=None, assignment='hungarian')
    for key, value in defaults.items():
        assert cfg.model.encoder.get(key, value) == source.model.get(key, value), key


@pytest.mark.parametrize('name, source, fusion, inputs', [
    ('devias', 'devias', 'concat', ('action', 'scene')),
    ('devias-gap', 'devias', 'gap', None),
    ('two-token', 'two-token', 'concat', ('action', 'scene')),
    ('two-token-gap', 'two-token', 'gap', None),
    ('two-token-fame', 'two-token-fame', 'concat', ('action', 'scene')),
    ('naive', 'naive', 'concat', ('action', )),
    ('be', 'be', 'concat', ('action', )),
    ('fame', 'fame', 'concat', ('action', )),
    ('naive-scene', 'naive-scene', 'concat', ('scene', ))])
@pytest.mark.parametrize('data', TABLE_23)
def test_downstream(data, name, source, fusion, inputs):  # Tables 11 and 23
    method = find_method(f'benchmarks/downstream_{data}.py:{name}')
    cfg = resolve(method)
    lr, flips = TABLE_23[data]
    check_recipe(cfg, lr, 12, flips)
    assert cfg.optim_wrapper.paramwise_cfg == dict(decay_rate=0.75)
    assert cfg.model.encoder.backbone.drop_path_rate == 0.1
    assert cfg.model.get('dropout', 0.) == cfg.model.encoder.get('dropout', 0.) == 0.
    assert cfg.model.get('task', 'action') == 'action' and not cfg.model.get('frozen', False)
    assert cfg.model.get('fusion', 'concat') == fusion
    if inputs:
        assert tuple(cfg.model.get('inputs', ('action', 'scene'))) == inputs
    assert cfg.num_classes == cfg.model.num_classes == TRANSFER_CLASSES[data]
    assert method.predicts == ('action', )
    # the training that `kinetics400` has, too
    expected = find_method(f'benchmarks/kinetics400.py:{source}')
    assert resolve(method.pretrain).to_dict() == resolve(expected).to_dict()
    check_start(method, cfg)


@pytest.mark.parametrize('task, name', [
    ('action', 'naive-scene'), ('scene', 'naive'), ('scene', 'naive-aug'), ('scene', 'be'),
    ('scene', 'fame')])
@pytest.mark.parametrize('data', TABLE_21)
def test_linear_probe(data, task, name):  # Tables 9, 10 and 21
    lr, batch = TABLE_21[data]
    source = 'scene' if task == 'action' else 'action'
    method = find_method(f'benchmarks/linear_probe_{data}.py:{name}')
    cfg = resolve(method)
    check_recipe(cfg, lr, batch, 1)
    assert cfg.optim_wrapper.paramwise_cfg == dict(decay_rate=1.)
    model = cfg.model
    assert model.frozen and model.keep_predictions and model.get('dropout', 0.) == 0.
    assert (model.get('task', 'action'), tuple(model.inputs)) == (task, (source, ))
    assert (cfg.num_classes, cfg.num_scene_classes) == CLASSES[data]
    # HVU has scene labels; elsewhere the probe learns those of the Places365 model
    assert ('scene_teacher' in model) == (task == 'scene' and data != 'hvu')
    expected = find_method(f'benchmarks/{data}.py:{name}')
    assert resolve(method.pretrain).to_dict() == resolve(expected).to_dict()
    check_start(method, cfg)
