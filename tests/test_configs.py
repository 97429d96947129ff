"""Every shipped config: its name, its inheritance, and one training step of what it builds."""
import re
from pathlib import Path

import pytest
import torch
from mmaction.registry import METRICS, MODELS, PARAM_SCHEDULERS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / 'configs').rglob('*.py')
                 if '_base_' not in path.parts)
# CONTRIBUTING.md: {method}_{backbone}_{gpus}xb{batch}-{clip}x{interval}x{clips}-{epochs}e_...
NAME = re.compile(
    r'(?P<method>[a-z][a-z0-9-]*)_(?P<backbone>[a-z][a-z0-9-]*)_(?P<gpus>\d+)xb(?P<batch>\d+)-'
    r'(?P<clip>\d+)x(?P<interval>\d+)x(?P<clips>\d+)-(?P<epochs>\d+)e_(?P<data>[a-z0-9-]+)-rgb(-official)?')
FULL_SIZE = ('naive/naive-action_', 'fame/fame_', 'tokens/two-token_', 'devias/devias_')


def test_there_are_configs():
    assert len(CONFIGS) >= 10


@pytest.mark.parametrize('name', CONFIGS)
def test_name_tells_the_truth(name):
    parts = NAME.fullmatch(Path(name).stem)
    assert parts, f'{name} does not follow {NAME.pattern}'
    cfg = Config.fromfile(ROOT / name)
    loader = cfg.train_dataloader
    assert loader.batch_size == int(parts['batch'])
    assert cfg.train_cfg.max_epochs == int(parts['epochs'])
    sampler = loader.dataset.pipeline[0].sampler
    found = sampler.clip_len, sampler.frame_interval, sampler.get('num_clips', 1)
    assert found == tuple(int(parts[key]) for key in ('clip', 'interval', 'clips'))
    assert Path(cfg.data_root).parts[:2] == ('data', parts['data'])
    if 'auto_scale_lr' in cfg:
        assert cfg.auto_scale_lr.base_batch_size == int(parts['gpus']) * int(parts['batch'])
    assert cfg.param_scheduler[-1].end == int(parts['epochs'])


def inheritance(path: Path) -> int:
    """Levels of ``_base_`` above a config."""
    bases = Config._get_base_files(str(path))
    return 1 + max((inheritance(path.parent / base) for base in bases), default=-1)


@pytest.mark.parametrize('name', CONFIGS)
def test_inheritance_and_paths(name):
    assert inheritance(ROOT / name) <= 3
    # paths of data appear in `_base_/datasets` alone
    assert 'data/' not in (ROOT / name).read_text()


def shrink(cfg: Config) -> None:
    """Two blocks and 64 pixels, for the recognizer and its teacher."""
    for part in (cfg.model, cfg.model.get('scene_teacher')):
        if part is not None:
            part.backbone.depth = 2
            part.backbone.img_size = 64
            part.backbone.drop_path_rate = 0.  # a dropped block would not learn in this step
            part.init_cfg = None


def train_one_step(cfg: Config, size: int, clips: int = 2, all_learn: bool = True) -> None:
    """Build the model, its optimizer and evaluator; one step on random clips."""
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        model = MODELS.build(cfg.model)
        optim_wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
        METRICS.build(cfg.val_evaluator)
    assert all(scheduler.type in PARAM_SCHEDULERS for scheduler in cfg.param_scheduler)
    assert model.num_classes == cfg.num_classes
    frames = cfg.train_dataloader.dataset.pipeline[0].sampler.clip_len
    samples = []
    for label in range(clips):
        sample = ActionDataSample(metainfo=dict(video_id=str(label)))
        samples.append(sample.set_gt_label(label))
        sample.set_field(label, 'scene_label')
    data = dict(inputs=[torch.randint(256, (1, 3, frames, size, size), dtype=torch.uint8)
                        for _ in samples], data_samples=samples)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    log = model.train().train_step(data, optim_wrapper)
    assert torch.isfinite(log['loss'])
    assert 0 < log['loss'] < 1e4
    for name, parameter in model.named_parameters():
        moved = not torch.equal(parameter, before[name])
        teacher = name.startswith('scene_teacher.')
        assert parameter.requires_grad != teacher, name
        assert not (teacher and moved), name
        assert moved or teacher or not all_learn, name
    scores = model.eval().test_step(data)[0]
    expected = {'scene': cfg.get('num_scene_classes'), 'action': cfg.num_classes}
    if cfg.model.get('unified_argmax'):
        expected['action'] += cfg.num_scene_classes
    for task, field in (('action', 'pred_score'), ('scene', 'pred_scene_score')):
        if field in scores:
            assert scores.get(field).shape == (expected[task], )


@pytest.mark.parametrize('name', [name for name in CONFIGS if 'puppets' in name])
def test_puppets_configs_train(name):
    train_one_step(Config.fromfile(ROOT / name), size=48, clips=4)


@pytest.mark.parametrize('name', [name for name in CONFIGS if 'vit-base' in name])
def test_vit_configs_train_when_shrunk(name):
    cfg = Config.fromfile(ROOT / name)
    shrink(cfg)
    train_one_step(cfg, size=64)


@pytest.mark.slow
@pytest.mark.parametrize('name', [
    name for name in CONFIGS if name.endswith('ucf101-rgb.py')
    and name.startswith(tuple(f'configs/{start}' for start in FULL_SIZE))])
def test_full_size_configs_train(name):
    cfg = Config.fromfile(ROOT / name)
    if 'scene_teacher' in cfg.model:
        cfg.model.scene_teacher.init_cfg = None
    train_one_step(cfg, size=224, all_learn=False)
