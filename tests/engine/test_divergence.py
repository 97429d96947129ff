"""A training whose loss or weights are no longer numbers stops and keeps what was good."""
import pytest
import torch
from mmengine.hooks import Hook
from tiny_runs import make_config

from devias_mm.engine.divergence import DivergenceError
from devias_mm.engine.runner import build_runner
from devias_mm.weights.reading import load_checkpoint_file


class Spoil(Hook):
    """Put a value into the loss or a weight of one iteration."""

    priority = 'HIGHEST'

    def __init__(self, iteration, value, where='loss'):
        self.iteration, self.value, self.where = iteration, value, where

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter != self.iteration:
            return
        if self.where in outputs:
            outputs[self.where] = torch.tensor(self.value)
        else:
            with torch.no_grad():
                dict(runner.model.named_parameters())[self.where][0] = self.value


def runner(folder, data, hook=None, **overrides):
    folder.mkdir()
    options = {'train_dataloader.batch_size': 2, 'train_dataloader.num_workers': 0,
               'train_cfg.max_epochs': 3, 'train_cfg.val_interval': 9,
               'default_hooks.logger.interval': 2, **overrides}
    made = build_runner(make_config(folder, data, **options))
    if hook is not None:
        made.register_hook(hook)
    return made


def files(folder):
    return sorted(path.name for path in (folder / 'work').glob('*.pth'))


def test_a_learning_rate_far_too_high_stops_the_training(tmp_path, tiny_data):
    train = runner(tmp_path / 'a', tiny_data, **{'optim_wrapper.optimizer.lr': 1e30})
    with pytest.raises(DivergenceError, match=r'stopped: .*loss.* in iteration \d+\. There is no '
                       r'checkpoint from before\. The learning rate was 1e\+30: lower'):
        train.train()
    assert not files(tmp_path / 'a') and train.iter < 4


@pytest.mark.parametrize('value', ['nan', 'inf', '-inf'])
@pytest.mark.parametrize('where', ['loss', 'loss_cls'])
def test_a_loss_stops_within_the_interval(tmp_path, tiny_data, value, where):
    # 4 iterations an epoch; the sixth is the second of its epoch, where the interval ends
    train = runner(tmp_path / 'a', tiny_data, Spoil(5, float(value), where))
    with pytest.raises(DivergenceError, match=f'{where} was {value} in iteration 6. The last good '
                       'checkpoint is .*epoch_1.pth'):
        train.train()
    assert train.iter == 5 and files(tmp_path / 'a') == ['epoch_1.pth']


def test_a_monitor_may_be_anything(tmp_path, tiny_data):
    train = runner(tmp_path / 'a', tiny_data, Spoil(1, float('nan'), 'top1_acc'),
                   **{'train_cfg.max_epochs': 1})
    train.train()
    assert files(tmp_path / 'a') == ['epoch_1.pth']


def test_weights_that_are_no_numbers_are_not_saved(tmp_path, tiny_data):
    """The last step of an epoch may spoil the weights after a good loss."""
    name = 'cls_head.fc_cls.weight'
    train = runner(tmp_path / 'a', tiny_data, Spoil(11, float('nan'), name),
                   **{'default_hooks.checkpoint.max_keep_ckpts': 1})
    with pytest.raises(DivergenceError, match=f'1 weights .* after iteration 12: {name}'):
        train.train()
    # also where the checkpoint hook keeps one file only and deletes before it writes
    assert files(tmp_path / 'a') == ['epoch_2.pth']
    state = load_checkpoint_file(str(tmp_path / 'a' / 'work' / 'epoch_2.pth'))['state_dict']
    assert all(torch.isfinite(value).all() for value in state.values())


def test_checkpoints_by_iteration_are_checked(tmp_path, tiny_data):
    name = 'cls_head.fc_cls.bias'
    train = runner(tmp_path / 'a', tiny_data, Spoil(1, float('inf'), name), **{
        'default_hooks.checkpoint': dict(type='CheckpointHook', by_epoch=False, interval=1)})
    with pytest.raises(DivergenceError, match=name):
        train.train()
    assert files(tmp_path / 'a') == ['iter_1.pth']
