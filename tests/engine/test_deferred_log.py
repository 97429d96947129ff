"""Logged values wait on the device, and the log is the same."""
import json
from contextlib import contextmanager

import pytest
import torch
from mmengine.hooks import RuntimeInfoHook
from mmengine.runner.checkpoint import find_latest_checkpoint
from tiny_runs import make_config

from devias_mm.engine import DeferredRuntimeInfoHook
from devias_mm.engine.runner import build_runner


def train(folder, data, plain=False, **overrides):
    """Train one epoch of four batches; the runner and the lines of its log."""
    folder.mkdir()
    cfg = make_config(folder, data, **{'train_cfg.max_epochs': 1, 'train_cfg.val_interval': 9,
                                       'train_dataloader.batch_size': 2,
                                       'train_dataloader.num_workers': 0, **overrides})
    runner = build_runner(cfg)
    if plain:
        runner.hooks[:] = [RuntimeInfoHook() if type(hook) is DeferredRuntimeInfoHook else hook
                           for hook in runner.hooks]
    runner.train()
    log = (folder / 'work' / runner.timestamp / 'vis_data' / f'{runner.timestamp}.json').open()
    # without the line of the validation at the end
    return runner, [line for line in map(json.loads, log) if 'loss' in line]


def history(runner, name='loss'):
    return runner.message_hub.get_scalar(f'train/{name}').data[0].tolist()


@pytest.mark.parametrize('interval', [1, 3])
def test_the_log_is_that_of_mmengine(tmp_path, tiny_data, interval):
    options = {'default_hooks.logger.interval': interval, 'log_processor.window_size': 2}
    ours, lines = train(tmp_path / 'ours', tiny_data, **options)
    theirs, expected = train(tmp_path / 'theirs', tiny_data, plain=True, **options)
    assert sum(isinstance(hook, DeferredRuntimeInfoHook) for hook in ours.hooks) == 1
    for name in ('loss', 'loss_cls', 'top1_acc'):
        assert history(ours, name) == history(theirs, name)
        assert len(history(ours, name)) == 4
    assert len(lines) == len(expected) == {1: 4, 3: 2}[interval]
    for line, other in zip(lines, expected):
        assert line.keys() == other.keys()
        for name in line.keys() - {'time', 'data_time'}:
            assert line[name] == other[name], name
    # the mean over the window, not the last value
    assert lines[-1]['loss'] == pytest.approx(sum(history(ours)[-2:]) / 2)


def test_a_checkpoint_within_an_interval_has_the_whole_history(tmp_path, tiny_data):
    runner, _ = train(tmp_path / 'run', tiny_data, **{
        'default_hooks.logger.interval': 9,
        'default_hooks.checkpoint': dict(type='CheckpointHook', by_epoch=False, interval=3,
                                         save_last=False)})
    path = find_latest_checkpoint(str(tmp_path / 'run' / 'work'))
    assert path.endswith('iter_3.pth')
    saved = torch.load(path, weights_only=True)['message_hub']['log_scalars']['train/loss']
    assert saved.data[0].tolist() == history(runner)[:3]


@contextmanager
def count_transfers(monkeypatch):
    """Count calls of ``item`` and ``tolist``."""
    calls = []
    for name in ('item', 'tolist'):
        original = getattr(torch.Tensor, name)
        monkeypatch.setattr(torch.Tensor, name, lambda self, original=original, name=name: (
            calls.append(name), original(self))[1])
    yield calls


def test_values_travel_once_an_interval(monkeypatch):
    hub, hook = [], DeferredRuntimeInfoHook()

    class Runner:
        hooks, train_dataloader, iter = [], range(5), 0

        class message_hub:
            update_scalar = staticmethod(lambda name, value: hub.append((name, value)))

    hook._interval = 3
    with count_transfers(monkeypatch) as calls:
        for step in range(5):
            loss = torch.tensor(float(step), requires_grad=True)
            hook.after_train_iter(Runner, step, outputs=dict(loss=loss, top=loss[None] + 1, n=7))
            assert len(calls) == {2: 1, 3: 1, 4: 2}.get(step, 0)
    assert [value for name, value in hub if name == 'train/loss'] == [0, 1, 2, 3, 4]
    assert [value for name, value in hub if name == 'train/top'] == [1, 2, 3, 4, 5]
    assert [value for name, value in hub if name == 'train/n'] == [7] * 5


def test_no_graph_is_kept():
    class Runner:
        train_dataloader, iter = range(5), 0

    hook = DeferredRuntimeInfoHook()
    weight = torch.ones(2, requires_grad=True)
    hook.after_train_iter(Runner, 0, outputs=dict(loss=weight.sum(), top=torch.ones(())))
    [logged] = hook._waiting
    assert not logged.values.requires_grad and logged.values.grad_fn is None
