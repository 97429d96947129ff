"""Every shipped recipe, file or row of a suite: its name, and one training step of its model."""
import copy
import re
from functools import cache
from pathlib import Path

import pytest
import torch
from mmaction.registry import METRICS, MODELS, PARAM_SCHEDULERS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from recipe_rows import resolve

from devias_mm.harness import load_suite
from devias_mm.harness.recipes import read_recipe
from devias_mm.harness.suite import list_suites

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / 'configs').rglob('*.py')
                 if '_base_' not in path.parts)


def rows_with_changes() -> dict:
    """The rows that are not simply a file, and trainings that they start from, by their names."""
    found = {}
    for path in list_suites(ROOT):
        for name, method in load_suite(path, ROOT).methods.items():
            row = f'benchmarks/{path.name}:{name}'
            if method.change and not method.checkpoint:
                found[row] = method
            while method.pretrain:  # some start from a training that starts from another
                method = method.pretrain
                row = f'{row}/pretrain'
                if method.change:
                    found[row] = method
    return found


ROWS = rows_with_changes()
BUILT = {}  # hash of a recipe: its name
# CONTRIBUTING.md: {method}_{backbone}_{gpus}xb{batch}-{clip}x{interval}x{clips}-{epochs}e_...
NAME = re.compile(
    r'(?P<method>[a-z][a-z0-9-]*)_(?P<backbone>[a-z][a-z0-9-]*)_(?P<gpus>\d+)xb(?P<batch>\d+)-'
    r'(?P<clip>\d+)x(?P<interval>\d+)x(?P<clips>\d+)-(?P<epochs>\d+)e_(?P<data>[a-z0-9-]+)-rgb')
# built and trained at full size, one per kind of model and backbone
FULL_SIZE = [
    f'configs/{name}_8xb12-16x4x1-100e_ucf101-rgb.py' for name in (
        'tokens/two-token_vit-base-p16', 'devias/devias_vit-base-p16')] + [
    'benchmarks/ucf101_backbones.py:devias-i3d', 'benchmarks/ucf101_backbones.py:devias-omnivore']
# small encoders by their type; 32 pixels, and 64 where the encoder divides by 32
SMALL = dict(
    TokenViT=dict(img_size=32, depth=2, embed_dims=48, num_heads=4),
    ResNet3d=dict(base_channels=4),
    ResNet3dSlowOnly=dict(base_channels=4),
    SwinTransformer3D=dict(arch=dict(embed_dims=12, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2])))


@cache
def resolved(name: str) -> Config:
    return resolve(ROWS[name]) if name in ROWS else read_recipe(name)


def load(name: str) -> Config:
    """A copy of a config, which is resolved once."""
    return copy.deepcopy(resolved(name))


def nodes(tree):
    """All dicts within nested dicts and lists."""
    if isinstance(tree, dict):
        yield tree
    if isinstance(tree, (dict, list, tuple)):
        for child in tree.values() if isinstance(tree, dict) else tree:
            yield from nodes(child)


def test_there_are_recipes():
    assert len(CONFIGS) >= 60
    assert len(ROWS) >= 160


@pytest.mark.parametrize('name', CONFIGS)
def test_name_tells_the_truth(name):
    parts = NAME.fullmatch(Path(name).stem)
    assert parts, f'{name} does not follow {NAME.pattern}'
    cfg = load(name)
    loader = cfg.train_dataloader
    assert loader.batch_size == int(parts['batch'])
    assert cfg.train_cfg.max_epochs == int(parts['epochs'])
    sampler = loader.dataset.pipeline[0].sampler
    found = sampler.clip_len, sampler.frame_interval, sampler.get('num_clips', 1)
    assert found == tuple(int(parts[key]) for key in ('clip', 'interval', 'clips'))
    # words of a name are joined by hyphens
    data = Path(cfg.data_root.replace('_', '-')).parts
    assert data[:2] == ('data', parts['data'])
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


def shrink(cfg: Config) -> int:
    """Make every encoder small; returns the side of the clips it takes."""
    size = 32
    for node in list(nodes(cfg.model)):
        kind = node.get('type')
        if 'init_cfg' in node:
            node.init_cfg = None
        if kind in SMALL:
            node.update(SMALL[kind])
            if 'drop_path_rate' in node:
                node.drop_path_rate = 0.  # a dropped block would not learn in this step
        if kind == 'FeatureMapTokens':
            size = 64
            node.input_size = (node.input_size[0], size, size)
        # these two need downloaded weights: test_hub_models_are_built_as_shipped
        if kind == 'SegFormerMasks':
            node.clear()
            node['type'] = 'FAMEMasks'
        if kind == 'ClipSceneTeacher':
            node.clear()
            node.update(type='NaiveRecognizer', task='scene', num_classes=0,
                        num_scene_classes=cfg.num_scene_classes,
                        backbone=dict(type='TokenViT', **SMALL['TokenViT']))
    if size == 64:
        for node in nodes(cfg.model):
            if node.get('type') == 'TokenViT':  # the teacher of a convolutional network
                node.img_size = size
    return size


def train_one_step(cfg: Config, size: int, clips: int = 2, all_learn: bool = True) -> None:
    """Build the model, its optimizer and evaluator; one step on random clips.

    Self-supervised pre-training has no evaluator, and nothing to predict.
    """
    pretraining = cfg.get('val_evaluator') is None
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        model = MODELS.build(cfg.model)
        optim_wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
        if not pretraining:
            METRICS.build(cfg.val_evaluator)
    assert all(scheduler.type in PARAM_SCHEDULERS for scheduler in cfg.param_scheduler)
    assert pretraining or model.num_classes == cfg.num_classes
    frames = cfg.train_dataloader.dataset.pipeline[0].sampler.clip_len
    masked = any(step.type in ('LoadMasks', 'LoadHumanBoxes')
                 for step in cfg.train_dataloader.dataset.pipeline)
    # contrastive pre-training has several views of a clip
    views = len(cfg.model.data_preprocessor.get('views', ())) or 1
    samples = []
    for label in range(clips):
        sample = ActionDataSample(metainfo=dict(video_id=str(label)))
        samples.append(sample.set_gt_label(label))
        sample.set_field(label, 'scene_label')
        sample.set_field(torch.randn(2, frames - 1, size, size), 'flow')  # of motion scaling
        if masked:
            masks = torch.rand(1, frames, size, size) < .3
            sample.set_field(255 * masks.byte(), 'masks')
    data = dict(inputs=[torch.randint(256, (views, 3, frames, size, size), dtype=torch.uint8)
                        for _ in samples], data_samples=samples)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    for _ in range(cfg.optim_wrapper.get('accumulative_counts', 1)):
        log = model.train().train_step(data, optim_wrapper)
    assert torch.isfinite(log['loss'])
    assert 0 < abs(log['loss']) < 1e4  # adversarial ones may be negative
    if pretraining:
        assert any(not torch.equal(p, before[name]) for name, p in model.named_parameters())
        return
    # frozen stages, a probed encoder, what does not make its features
    stages_frozen = cfg.model.type == 'FeatureClassifier' or any(
        node.get('frozen_stages', -1) >= 0 for node in nodes(cfg.model))
    for name, parameter in model.named_parameters():
        moved = not torch.equal(parameter, before[name])
        frozen = name.startswith('scene_teacher.') or (
            stages_frozen and name.startswith('backbone.') and not parameter.requires_grad)
        assert parameter.requires_grad != frozen, name
        assert not (frozen and moved), name
        # a batch norm follows these biases, so they get no gradient but rounding errors
        cancelled = re.fullmatch(r'scene_head\.[036]\.bias', name)
        assert moved or frozen or cancelled or not all_learn, name
    scores = model.eval().test_step(data)[0]
    expected = {'scene': cfg.get('num_scene_classes'), 'action': cfg.num_classes}
    for task, field in (('action', 'pred_score'), ('scene', 'pred_scene_score')):
        if field in scores:
            # all classes of a unified head may compete
            wide = getattr(model, f'{task}_scores', 'own') == 'all'
            length = sum(expected.values()) if wide else expected[task]
            assert scores.get(field).shape == (length, )


@pytest.mark.parametrize('name', [*CONFIGS, *ROWS])
def test_recipes_train(name):
    """Puppets at its size, everything else when shrunk."""
    cfg = load(name)
    # several suites have the same row, and some change the data alone
    same = BUILT.setdefault(trained_part(cfg), name)
    if same != name:
        return
    if 'puppets' in name:
        train_one_step(cfg, size=48, clips=4)
    else:
        train_one_step(cfg, size=shrink(cfg))


def trained_part(cfg: Config) -> str:
    """What decides about a training step of this test."""
    steps = [step.type for step in cfg.train_dataloader.dataset.pipeline]
    parts = [cfg.get(key) for key in ('model', 'optim_wrapper', 'val_evaluator', 'num_classes',
                                      'num_scene_classes')]
    return repr((parts, steps, cfg.train_dataloader.dataset.pipeline[0].sampler))


@pytest.mark.parametrize('name', [*CONFIGS, *ROWS])
def test_published_initial_weights_are_those_of_devias_fine_tunings(name):
    """All others start from PyTorch's own; without a classifier there is nothing to say."""
    model = resolved(name).model
    if model.type in ('MoCo', 'DSM', 'DSMTriplet', 'BEContrastive', 'BETriplet'):
        return
    if model.type == 'FeatureClassifier' and 'puppets' in name:
        model = model.encoder
    # the baselines and DEVIAS, with other encoders (Table 14), and after them (Tables 9 to 11)
    kinds = ('DEVIAS', 'TokenRecognizer', 'NaiveRecognizer', 'FeatureClassifier')
    vit = model.get('encoder', model).backbone.type == 'TokenViT'
    published = model.type in kinds and (vit or 'ucf101_backbones' in name)
    assert ('init_scale' in model) != published
    assert model.get('init_scale') is None


HUB_MODELS = ('SegFormerMasks', 'ClipSceneTeacher')


@pytest.mark.parametrize('name', [name for name in ROWS if name.endswith(('segformer', '-clip'))])
def test_hub_models_are_built_as_shipped(name):
    """Those that `shrink` puts others in place of: whole, but not loaded before they are used."""
    cfg = load(name)
    shipped = [copy.deepcopy(node) for node in nodes(cfg.model) if node.get('type') in HUB_MODELS]
    assert len(shipped) == 1
    encoder = SMALL['TokenViT']
    for node in nodes(cfg.model):
        if node.get('type') == 'TokenViT':
            node.update(encoder)
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        model = MODELS.build(cfg.model)
    built, = [module for module in model.modules() if type(module).__name__ in HUB_MODELS]
    options = shipped[0]
    assert type(built).__name__ == options.pop('type')
    assert built.network.checkpoint == options.pop('checkpoint', built.network.checkpoint)
    for key, value in options.items():
        assert getattr(built, key) == value, key


@pytest.mark.slow
@pytest.mark.parametrize('name', FULL_SIZE)
def test_full_size_configs_train(name):
    cfg = load(name)
    for node in nodes(cfg.model):
        if 'init_cfg' in node:
            node.init_cfg = None
    train_one_step(cfg, size=224, all_learn=False)
