"""A training that is stopped and resumed ends as one that never stopped, bit by bit."""
import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from tiny_runs import make_config

from devias_mm.engine import EpochSeedHook
from devias_mm.weights.checkpoints import find_resumable, load_checkpoint_file


class StopAt(Hook):
    """A power failure in the middle of an epoch."""

    def __init__(self, iteration):
        self.iteration = iteration

    def after_train_iter(self, runner, **kwargs):
        if runner.iter + 1 == self.iteration:
            raise KeyboardInterrupt


def train(folder, data_root, stop_at=None, **overrides):
    folder.mkdir(exist_ok=True)
    runner = Runner.from_cfg(make_config(folder, data_root, **overrides))
    if stop_at is not None:
        runner.register_hook(StopAt(stop_at))
        with pytest.raises(KeyboardInterrupt):
            runner.train()
    else:
        runner.train()
    return folder / 'work'


def test_resumed_equals_uninterrupted(tmp_path, tiny_data):
    # 2 iterations an epoch, 3 epochs; killed in the third
    whole = train(tmp_path / 'whole', tiny_data) / 'epoch_3.pth'
    parts = train(tmp_path / 'parts', tiny_data, stop_at=5)
    newest = find_resumable(parts)
    assert newest.endswith('epoch_2.pth')
    train(tmp_path / 'parts', tiny_data, load_from=newest, resume=True)
    whole, parts = (load_checkpoint_file(str(path))
                    for path in (whole, parts / 'epoch_3.pth'))
    assert whole['meta']['iter'] == parts['meta']['iter'] == 6
    for key, value in whole['state_dict'].items():
        assert torch.equal(value, parts['state_dict'][key]), key
    # and the test can fail: another seed gives other weights
    other = train(tmp_path / 'other', tiny_data, **{'randomness.seed': 1}) / 'epoch_3.pth'
    other = load_checkpoint_file(str(other))['state_dict']
    assert not torch.equal(other['cls_head.fc_cls.weight'],
                           whole['state_dict']['cls_head.fc_cls.weight'])


def test_seeds_differ_between_epochs_and_ranks(monkeypatch):
    def draw(epoch, rank=0):
        monkeypatch.setattr('devias_mm.engine.determinism.get_rank', lambda: rank)
        EpochSeedHook().before_train_epoch(SimpleNamespace(seed=3, epoch=epoch))
        return random.random(), np.random.rand(), torch.rand(1).item()

    assert draw(0) == draw(0)
    assert len({value for epoch in range(3) for rank in range(2)
                for value in draw(epoch, rank)}) == 18


def test_workers_augment_every_epoch_anew():
    from devias_mm.engine import seed_worker

    class Noise(torch.utils.data.Dataset):
        def __len__(self):
            return 4

        def __getitem__(self, i):
            return np.random.rand(), random.random()

    loader = torch.utils.data.DataLoader(Noise(), num_workers=1, worker_init_fn=seed_worker,
                                         collate_fn=list)
    torch.manual_seed(0)
    first, second = list(loader), list(loader)
    torch.manual_seed(0)
    assert list(loader) == first != second
