"""Checkpoints that cannot be used are refused before work starts."""
import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.logging import HistoryBuffer
from torch import nn

from devias_mm.engine.checkpoint_conversion import convert, export
from devias_mm.engine.checkpoints import (
    CheckpointError,
    check_weights,
    find_resumable,
    load_checkpoint_file,
)


def save(path, **content):
    torch.save(content or dict(state_dict=nn.Linear(2, 3).state_dict()), path)
    return str(path)


def test_message_hub_of_a_runner_loads(tmp_path):
    buffer = HistoryBuffer()
    buffer.update(np.float64(2.5))
    path = save(tmp_path / 'a.pth', state_dict={'module.w': torch.ones(1)}, hub=buffer)
    checkpoint = load_checkpoint_file(path)
    assert checkpoint['hub'].current() == 2.5
    assert list(checkpoint['state_dict']) == ['w']


def test_getattr_stays_forbidden(tmp_path):
    class Evil:
        def __reduce__(self):
            return getattr, (HistoryBuffer, '__init__')

    with pytest.raises(CheckpointError, match='cannot load checkpoint'):
        load_checkpoint_file(save(tmp_path / 'a.pth', x=Evil()))


def test_missing_truncated_and_foreign_files(tmp_path):
    with pytest.raises(CheckpointError, match='not found'):
        load_checkpoint_file(str(tmp_path / 'none.pth'))
    path = save(tmp_path / 'a.pth')
    with open(path, 'r+b') as file:
        file.truncate(700)
    (tmp_path / 'b.pth').write_text('hello')
    torch.save([1, 2], tmp_path / 'c.pth')
    for name, reason in (('a', 'truncated'), ('b', 'truncated'), ('c', 'holds a list')):
        with pytest.raises(CheckpointError, match=reason):
            load_checkpoint_file(str(tmp_path / f'{name}.pth'))


def test_weights_must_fit():
    model, good = nn.Linear(2, 3), nn.Linear(2, 3).state_dict()
    check_weights(model, dict(state_dict=dict(good, extra=torch.ones(1))), 'a.pth')
    with pytest.raises(CheckpointError, match=r'Missing weights \(1\): bias.*\(1\): old'):
        check_weights(model, dict(state_dict=dict(weight=good['weight'], old=good['bias'])), 'a')
    with pytest.raises(CheckpointError, match=r'weight: \(4, 2\) for \(3, 2\)'):
        check_weights(model, dict(state_dict=dict(good, weight=torch.ones(4, 2))), 'a')


@pytest.mark.parametrize('layout', ['videomae', 'mmaction2'])
def test_converted_checkpoints_fit(layout):
    """Without the fixed position table, which published files do not hold."""
    model = MODELS.build(dict(
        type='NaiveRecognizer', num_classes=3, pool_norm=True,
        backbone=dict(type='TokenViT', img_size=32, depth=1, embed_dims=24, num_heads=2,
                      num_frames=4, final_norm=False)))
    state = convert(export(model.state_dict(), layout).state_dict).state_dict
    assert 'backbone.pos_embed' not in state
    check_weights(model, dict(state_dict=state), 'a.pth')
    del state['fc_norm.weight']
    with pytest.raises(CheckpointError, match=r'Missing weights \(1\): fc_norm.weight'):
        check_weights(model, dict(state_dict=state), 'a.pth')
    state['backbone.pos_embed'] = torch.zeros(1, 3, 24)
    with pytest.raises(CheckpointError, match='pos_embed: .* for '):
        check_weights(model, dict(state_dict=state), 'a.pth')


def test_newest_usable_checkpoint(tmp_path):
    assert find_resumable(tmp_path) is None
    for epoch in (2, 9, 10):
        save(tmp_path / f'epoch_{epoch}.pth')
    save(tmp_path / 'best_acc_epoch_11.pth')
    assert find_resumable(tmp_path) == str(tmp_path / 'epoch_10.pth')
    (tmp_path / 'epoch_10.pth').write_bytes(b'PK')
    assert find_resumable(tmp_path) == str(tmp_path / 'epoch_9.pth')
