"""Mixed precision, averaged weights, accumulation and training strategies."""
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from mmengine.runner import FlexibleRunner, Runner
from tiny_runs import ROOT, make_config

from devias_mm.engine.checkpoints import load_checkpoint_file
from devias_mm.engine.launch import UsageError, build_runner
from devias_mm.engine.runtime import strategy_problem

DEVIAS = ROOT / 'configs/devias/devias_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py'
# what the README tells a config to say for each fragment
PLACED = {
    'amp_bf16': 'optim_wrapper = dict(**_base_.amp)',
    'amp_fp16': 'optim_wrapper = dict(**_base_.amp)',
    'accumulation': 'optim_wrapper = dict(**_base_.accumulation)',
    'ema': 'custom_hooks = [*_base_.custom_hooks, _base_.ema]',
    'early_evaluation': 'train_cfg = dict(**_base_.early_evaluation)',
    'compile': '', 'fsdp': '',
    'deepspeed': 'optim_wrapper = dict(**_base_.deepspeed)'}


def with_fragment(folder, name, base=DEVIAS) -> Config:
    """A config that takes a fragment as its README says."""
    path = folder / f'{name}.py'
    fragment = ROOT / 'configs/_base_/runtime' / f'{name}.py'
    path.write_text(f"_base_ = ['{base}', '{fragment}']\n{PLACED[name]}\n")
    return Config.fromfile(str(path))


def test_every_fragment_is_placed_and_documented(tmp_path):
    folder = ROOT / 'configs/_base_/runtime'
    assert {path.stem for path in folder.glob('*.py')} == set(PLACED)
    readme = (folder / 'README.md').read_text()
    for name, line in PLACED.items():
        assert f'`{name}.py`' in readme
        assert line in readme
        cfg = with_fragment(tmp_path, name)
        assert cfg.optim_wrapper.optimizer.lr == 2e-3, 'the base is still there'
    assert with_fragment(tmp_path, 'accumulation').optim_wrapper.accumulative_counts == 2
    assert with_fragment(tmp_path, 'compile').compile == dict(backend='inductor')
    hooks = [hook.type for hook in with_fragment(tmp_path, 'ema').custom_hooks]
    assert hooks == ['EpochSeedHook', 'EMAHook']
    train_cfg = with_fragment(tmp_path, 'early_evaluation').train_cfg
    assert (train_cfg.max_epochs, train_cfg.val_interval) == (16, 1)
    assert train_cfg.dynamic_intervals == [(6, 10)]


def batch(size=48, frames=8) -> dict:
    samples = []
    for label in range(4):
        sample = ActionDataSample(metainfo=dict(video_id=str(label))).set_gt_label(label)
        sample.set_field(label, 'scene_label')
        samples.append(sample)
    return dict(inputs=[torch.randint(256, (1, 3, frames, size, size), dtype=torch.uint8)
                        for _ in samples], data_samples=samples)


def test_a_bf16_step_on_the_cpu(tmp_path):
    cfg = with_fragment(tmp_path, 'amp_bf16')
    with DefaultScope.overwrite_default_scope('mmaction'):
        model = MODELS.build(cfg.model).train()
        wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    seen = {}
    model.head.register_forward_hook(lambda module, args, out: seen.update(head=out.dtype))
    model.head.weight.register_hook(lambda grad: seen.update(grad=grad.dtype))
    masks = {}
    model.data_preprocessor.augments[0].register_forward_hook(
        lambda module, args, out: masks.update(found=out[1].masks, clips=args[0]))
    before = model.head.weight.detach().clone()
    log = model.train_step(batch(), wrapper)
    assert torch.isfinite(log['loss'])
    assert seen['head'] == torch.bfloat16
    assert model.head.weight.dtype == seen['grad'] == torch.float32
    assert not torch.equal(model.head.weight, before)
    # the masks come of full precision: outside autocast they are the same
    exact = model.data_preprocessor.augments[0].compute(masks['clips'])[1]
    assert torch.equal(masks['found'], exact)


def test_fp16_needs_a_gpu(tmp_path):
    if torch.cuda.is_available():
        pytest.skip('there is a GPU')
    cfg = with_fragment(tmp_path, 'amp_fp16')
    with pytest.raises(AssertionError, match='gpu'), \
            DefaultScope.overwrite_default_scope('mmaction'):
        build_optim_wrapper(torch.nn.Linear(2, 2), cfg.optim_wrapper)


class StopInTheSecondEpoch(Hook):
    """A power failure."""

    def after_train_iter(self, runner, **kwargs):
        if runner.iter == 5:
            raise KeyboardInterrupt


def tiny(folder, data, **overrides) -> Config:
    """Two batches of two clips a step, bfloat16, averaged weights."""
    folder.mkdir(exist_ok=True)
    cfg = make_config(folder, data, **{
        'train_dataloader.batch_size': 2, 'train_dataloader.num_workers': 0,
        'val_dataloader.num_workers': 0, 'optim_wrapper.accumulative_counts': 2,
        'optim_wrapper.type': 'BFloat16OptimWrapper', 'train_cfg.max_epochs': 2, **overrides})
    cfg.custom_hooks = [*cfg.custom_hooks, dict(type='EMAHook', momentum=.3, update_buffers=True)]
    # MMAction2's own heads take bfloat16 scores to numpy, which has none
    cfg.model = dict(
        type='NaiveRecognizer', num_classes=8,
        backbone=dict(type='ConvTokenEncoder', input_size=(8, 48, 48), widths=(4, 4, 8)))
    return cfg


def test_ema_and_accumulation_resume_where_they_stopped(tmp_path, tiny_data):
    build_runner(tiny(tmp_path / 'whole', tiny_data)).train()
    stopped = build_runner(tiny(tmp_path / 'parts', tiny_data))
    stopped.register_hook(StopInTheSecondEpoch())
    with pytest.raises(KeyboardInterrupt):
        stopped.train()
    newest = str(tmp_path / 'parts' / 'work' / 'epoch_1.pth')
    build_runner(tiny(tmp_path / 'parts', tiny_data, load_from=newest, resume=True)).train()
    whole, parts = (load_checkpoint_file(str(tmp_path / name / 'work' / 'epoch_2.pth'))
                    for name in ('whole', 'parts'))
    # 8 clips in batches of 2, two batches a step: 2 steps an epoch
    steps = {state['step'].item() for state in whole['optimizer']['state'].values()}
    assert steps == {4}
    differ = False
    for name, value in whole['state_dict'].items():
        assert torch.equal(value, parts['state_dict'][name]), name
        averaged = whole['ema_state_dict'][f'module.{name}']
        assert torch.equal(averaged, parts['ema_state_dict'][f'module.{name}']), name
        differ |= not torch.equal(averaged, value)
    assert differ, 'the averaged weights lag behind'


def test_flexible_runner_trains(tmp_path, tiny_data):
    cfg = make_config(tmp_path, tiny_data, **{
        'train_dataloader.num_workers': 0, 'val_dataloader.num_workers': 0,
        'train_cfg.max_epochs': 1})
    cfg.runner_type = 'FlexibleRunner'
    runner = build_runner(cfg, strategy=True)
    assert isinstance(runner, FlexibleRunner)
    runner.train()
    assert (tmp_path / 'work' / 'epoch_1.pth').is_file()


@pytest.mark.parametrize('name, lacks', [('fsdp', 'GPU'), ('deepspeed', r'devias_mm\[deepspeed\]')])
def test_strategies_say_what_they_need(tmp_path, monkeypatch, name, lacks):
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    monkeypatch.setattr('importlib.util.find_spec', lambda package: None)
    cfg = with_fragment(tmp_path, name)
    cfg.launcher, cfg.work_dir = 'none', str(tmp_path)
    with pytest.raises(UsageError, match=lacks):
        build_runner(cfg, strategy=True)
    # with everything at hand: a launcher
    monkeypatch.setattr('torch.cuda.is_available', lambda: True)
    monkeypatch.setattr('importlib.util.find_spec', lambda package: package)
    assert 'tools/dist_train.sh' in strategy_problem(cfg)
    cfg.launcher = 'pytorch'
    assert strategy_problem(cfg) == ''


def test_a_test_leaves_the_strategy_alone(tmp_path, tiny_data):
    cfg = make_config(tmp_path, tiny_data)
    cfg.runner_type, cfg.strategy = 'FlexibleRunner', dict(type='FSDPStrategy')
    assert type(build_runner(cfg)) is Runner
