"""Mixed precision, averaged weights, accumulation and training strategies."""
import inspect

import pytest
import torch
import torch.distributed as dist
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine._strategy.deepspeed import MMDeepSpeedEngineWrapper
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODEL_WRAPPERS, STRATEGIES, DefaultScope
from mmengine.runner import FlexibleRunner
from tiny_runs import ROOT, make_config
from torch.distributed.fsdp import FullyShardedDataParallel as FSDP
from torch.distributed.fsdp import StateDictType

import devias_mm.register  # noqa: F401 (in processes that are spawned, too)
from devias_mm.engine.runner import build_runner
from devias_mm.engine.runtime import strategy_problem
from devias_mm.errors import UsageError
from devias_mm.weights.checkpoints import load_checkpoint_file

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
    cfg.optim_wrapper.pop('clip_grad')
    cfg.launcher, cfg.work_dir = 'none', str(tmp_path)
    with pytest.raises(UsageError, match=lacks):
        build_runner(cfg, strategy=True)
    # with everything at hand: a launcher
    monkeypatch.setattr('torch.cuda.is_available', lambda: True)
    monkeypatch.setattr('importlib.util.find_spec', lambda package: package)
    assert 'tools/dist_train.sh' in strategy_problem(cfg)
    cfg.launcher = 'pytorch'
    assert strategy_problem(cfg) == ''


class StandInEngine:
    """What MMEngine's wrapper asks of DeepSpeed's engine: a float16 model, backward and step."""

    def __init__(self, model, optimizer):
        self.module, self.optimizer = model.half(), optimizer
        self.parameters, self.backward = model.parameters, torch.Tensor.backward

    def __call__(self, **kwargs):
        return self.module(**kwargs)

    def step(self):
        self.optimizer.step()


def test_mmengines_part_of_deepspeed_takes_the_fragment(tmp_path, monkeypatch):
    cfg = with_fragment(tmp_path, 'deepspeed')
    with monkeypatch.context() as patch:
        patch.setattr('importlib.util.find_spec', lambda package: package)
        assert 'gradient_clipping' in strategy_problem(cfg)
    cfg.optim_wrapper.pop('clip_grad')
    options = cfg.strategy.to_dict()
    strategy = STRATEGIES.get(options.pop('type'))
    assert set(options) <= set(inspect.signature(strategy).parameters)
    with DefaultScope.overwrite_default_scope('mmaction'):
        model = MODELS.build(TINY_DEVIAS).train()
        wrapper = build_optim_wrapper(model, dict(
            type=cfg.optim_wrapper.type, optimizer=dict(type='SGD', lr=.1)))
    engine = StandInEngine(model, wrapper.optimizer)
    wrapper.model = MMDeepSpeedEngineWrapper(
        model=engine, inputs_to_half=options['inputs_to_half'])
    before = model.head.weight.detach().clone()
    log = wrapper.model.train_step(batch(32, 4), wrapper)
    assert torch.isfinite(log['loss'])
    assert model.head.weight.dtype == torch.float16 and not torch.equal(model.head.weight, before)


TINY_DEVIAS = dict(
    type='DEVIAS', num_classes=4, num_scene_classes=3, mask_decoder=dict(hidden_dims=(32, )),
    backbone=dict(type='TokenViT', img_size=32, depth=2, embed_dims=48, num_heads=4,
                  num_frames=4),
    scene_teacher=dict(type='NaiveRecognizer', task='scene', num_classes=0, num_scene_classes=3,
                       backbone=dict(type='TokenViT', img_size=32, depth=1, embed_dims=48,
                                     num_heads=4, num_frames=4)),
    slot_attention=dict(num_slots=2, num_iters=2),
    data_preprocessor=dict(type='DebiasDataPreprocessor', mean=[127.] * 3, std=[60.] * 3,
                           augments=[dict(type='FAMEMasks')]))


def one_step(wrap) -> tuple:
    """One step of a tiny DEVIAS that ``wrap`` wraps: the wrapped model and its loss."""
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmaction'):
        model = wrap(MODELS.build(TINY_DEVIAS).train())
        # steps that are in proportion to the gradients, so that these are compared
        wrapper = build_optim_wrapper(model, dict(optimizer=dict(type='SGD', lr=.1)))
    log = model.train_step(batch(32, 4), wrapper)
    return model, log['loss'].item()


def sharded_step(rank: int, world: int, folder, cfg: dict) -> None:
    """The same step in one of ``world`` processes."""
    dist.init_process_group('gloo', f'file://{folder}/store{world}', rank=rank, world_size=world)
    torch.set_num_threads(1)
    model, loss = one_step(lambda module: MODEL_WRAPPERS.build(dict(cfg, module=module)))
    units = [name.replace('_fsdp_wrapped_module.', '').replace('._fsdp_wrapped_module', '')
             for name, module in model.named_modules() if isinstance(module, FSDP)]
    with FSDP.state_dict_type(model, StateDictType.FULL_STATE_DICT):
        state = model.state_dict()
    if rank == 0:
        torch.save(dict(state=state, loss=loss, units=units), f'{folder}/{world}.pth')
    dist.destroy_process_group()


@pytest.mark.parametrize('world', [1, 2])
def test_a_step_of_the_shipped_fsdp_wrapper(tmp_path, world):
    """Sharded over processes it is the step of one: its loss and all weights after it."""
    strategy = with_fragment(tmp_path, 'fsdp').strategy.to_dict()
    assert STRATEGIES.get(strategy['type']) is not None
    cfg = strategy['model_wrapper']
    cfg['auto_wrap_policy']['min_num_params'] = 20000  # a block has 28k, the slots 26k
    cfg['device_id'] = torch.device('cpu')
    torch.multiprocessing.spawn(sharded_step, (world, tmp_path, cfg), nprocs=world)
    found = torch.load(tmp_path / f'{world}.pth')
    model, loss = one_step(lambda module: module)
    assert found['loss'] == pytest.approx(loss, rel=1e-5)
    expected = model.state_dict()
    assert found['state'].keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found['state'][name], value, atol=1e-6, rtol=1e-5, msg=name)
    assert {'slot_attention', 'backbone.blocks.0', 'backbone.blocks.1'} < set(found['units'])
    # weights of these are read outside of their forward
    assert not any(name.endswith(('to_k', 'to_v', 'qkv', 'layers.0', 'scene_teacher'))
                   for name in found['units'])


def test_a_test_leaves_the_strategy_alone(tmp_path, tiny_data):
    cfg = make_config(tmp_path, tiny_data)
    cfg.runner_type, cfg.strategy = 'FlexibleRunner', dict(type='FSDPStrategy')
    assert not isinstance(build_runner(cfg), FlexibleRunner)
