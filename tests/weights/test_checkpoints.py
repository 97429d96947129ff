"""Checkpoints that cannot be used are refused before work starts."""
from enum import Enum

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.logging import HistoryBuffer
from torch import nn

from devias_mm.errors import CheckpointError
from devias_mm.weights.checkpoints import (
    check_start,
    check_weights,
    find_resumable,
    load_checkpoint_file,
    load_weights,
)
from devias_mm.weights.conversion import convert, export
from devias_mm.weights.reading import refused_classes


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


class Precision(Enum):
    """Stored as a call, not as an object with a state."""
    HALF = 'half'


class LossScaler:
    """What a trainer puts beside the weights."""

    def __init__(self):
        self.cur_scale = 2.


def test_refused_classes_are_named(tmp_path):
    content = dict(module={'w': torch.ones(1)}, scaler=LossScaler(), flag=Precision.HALF)
    path = save(tmp_path / 'a.pth', **content)
    names = [f'{kind.__module__}.{kind.__qualname__}' for kind in (LossScaler, Precision)]
    assert refused_classes(path) == names
    message = f'{names[0]}, {names[1]}.*convert_checkpoint.*--ignore-classes {names[0]} {names[1]}'
    with pytest.raises(CheckpointError, match=message) as error:
        load_checkpoint_file(path)
    assert 'truncated' not in str(error.value) and '--resume' not in str(error.value)
    # cut off, nobody can tell; the format of torch before 1.6 is read from the front
    cut = tmp_path / 'cut.pth'
    cut.write_bytes((tmp_path / 'a.pth').read_bytes()[:-50])
    assert refused_classes(str(cut)) == []
    with pytest.raises(CheckpointError, match='it is truncated or not a checkpoint'):
        load_checkpoint_file(str(cut))
    torch.save(content, path, _use_new_zipfile_serialization=False)
    with pytest.raises(CheckpointError, match=f'GLOBAL {names[0]} was not an allowed global'):
        load_checkpoint_file(path)


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


def vit(type='NaiveRecognizer', embed_dims=24, depth=2, num_frames=4, tokens=0, norm=True,
        **kwargs):
    """A recognizer on a small ViT."""
    return MODELS.build(dict(
        type=type, num_classes=3, num_scene_classes=2, backbone=dict(
            type='TokenViT', img_size=32, depth=depth, embed_dims=embed_dims, num_heads=2,
            num_frames=num_frames, num_extra_tokens=tokens, final_norm=norm), **kwargs))


SLOTS = dict(type='DEVIAS', slot_attention=dict(num_slots=2, num_iters=1))
STARTS = {  # what starts -> from the checkpoint of what
    'other head and norm': (dict(), dict(norm=False, pool_norm=True, task='scene')),
    'slots and decoder': (SLOTS, dict(norm=False, pool_norm=True)),
    'one that had slots': (dict(norm=False), SLOTS),
    'extra tokens': (dict(type='TokenRecognizer', tokens=2), dict()),
    'another number of them': (dict(), dict(type='TokenRecognizer', tokens=1)),
}
LEFT = {  # what the training does not get from it
    'other head and norm': 'backbone.norm.weight, backbone.norm.bias, head (other classes)',
    'slots and decoder': 'backbone.norm.weight, backbone.norm.bias, slot_attention, '
                         'head (other classes), mask_decoder',
    'one that had slots': 'head (other classes)',
    'extra tokens': 'backbone.extra_tokens, action_head, scene_head',
    'another number of them': 'head',
}


@pytest.mark.parametrize('name', STARTS)
def test_a_training_may_start_from_the_encoder_of_another(name):
    own, source = STARTS[name]
    left, state = LEFT[name], vit(**source).state_dict()
    line = check_start(vit(**own), dict(state_dict=state), 'a.pth')
    assert line == (f'load_from a.pth leaves at their initial values: {left}' if left else '')


def test_a_part_is_whole_or_absent():
    model, state = vit(**SLOTS), vit(**SLOTS).state_dict()
    assert check_start(model, dict(state_dict=state), 'a.pth') == ''
    for lost in ('slot_attention.slots', 'slot_attention.layers.0.to_q.weight', 'head.bias'):
        rest = {key: value for key, value in state.items() if key != lost}
        with pytest.raises(CheckpointError, match=f'{lost.split(".")[0]}.*[(]1 of .*: {lost}'):
            check_start(model, dict(state_dict=rest), 'a.pth')
    other = dict(SLOTS, slot_attention=dict(num_slots=3, num_iters=1))
    message = r'slot_attention.slots: \(1, 3, 24\) for \(1, 2, 24\)'
    with pytest.raises(CheckpointError, match=message):
        check_start(model, dict(state_dict=vit(**other).state_dict()), 'a.pth')
    # a classifier of other classes is named, one of another width is an error
    state['head.weight'], state['head.bias'] = torch.ones(9, 24), torch.ones(9)
    assert check_start(model, dict(state_dict=state), 'a.pth').endswith(': head (other classes)')
    state['head.weight'] = torch.ones(9, 12)
    with pytest.raises(CheckpointError, match=r'head.weight: \(9, 12\) for \(5, 24\)'):
        check_start(model, dict(state_dict=state), 'a.pth')


def test_a_model_is_loaded_whole(tmp_path):
    model = nn.Linear(2, 3)
    other = nn.Linear(2, 3)
    path = save(tmp_path / 'a.pth', state_dict=other.state_dict(), meta=dict(epoch=3))
    assert load_weights(model, path)['meta']['epoch'] == 3
    assert torch.equal(model.weight, other.weight) and torch.equal(model.bias, other.bias)
    path = save(tmp_path / 'b.pth', state_dict=dict(weight=other.weight.data))
    with pytest.raises(CheckpointError, match=r'b.pth does not fit.*\(1\): bias'):
        load_weights(model, path)


@pytest.mark.parametrize('layout', ['videomae', 'mmaction2'])
def test_converted_files_are_a_start_and_others_are_not(tmp_path, layout):
    model = vit(norm=False, pool_norm=True)
    published = export(model.state_dict(), layout).state_dict
    check_start(model, dict(state_dict=convert(published).state_dict), 'a.pth')
    # as it was published: in a dict of its own, or with other names
    files = [dict(model=published)] + [dict(state_dict=published)] * (layout == 'videomae')
    for content in files:
        path = save(tmp_path / 'raw.pth', **content)
        with pytest.raises(CheckpointError, match=r'raw.pth \(load_from\).*TokenViT.*'
                           r'\(\d+ of \d+\): backbone.patch_embed.*convert_checkpoint.py'):
            check_start(model, load_checkpoint_file(path), path)


@pytest.mark.parametrize('other, message', [
    (dict(embed_dims=48), r'patch_embed.projection.weight: \(48, 3, .*\) for \(24, 3, '),
    (dict(depth=1), r'Missing weights \(\d+ of \d+\): backbone.blocks.1.'),
    (dict(depth=3), r'In the file alone: backbone.blocks.2.'),
    # MMEngine would leave the table out
    (dict(num_frames=8), r'\(1\): backbone.pos_embed: \(1, 16, 24\) for \(1, 8, 24\)')])
def test_another_encoder_is_no_start(other, message):
    with pytest.raises(CheckpointError, match=message):
        check_start(vit(), dict(state_dict=vit(**other).state_dict()), 'a.pth')


@pytest.mark.parametrize('method', ['MoCo', 'DSM', 'DSMTriplet'])
@pytest.mark.parametrize('backbone', [
    dict(type='ConvTokenEncoder', input_size=(4, 16, 16), widths=(8, 12, 24), num_heads=3),
    dict(type='FeatureMapTokens', input_size=(8, 32, 32), backbone=dict(
        type='ResNet3dSlowOnly', depth=18, pretrained=None, lateral=False, base_channels=4,
        conv1_kernel=(1, 7, 7), inflate=(0, 0, 1, 1)))])
def test_pretraining_without_labels_is_a_start(method, backbone):
    state = MODELS.build(dict(type=method, backbone=dict(backbone))).state_dict()
    model = MODELS.build(dict(type='NaiveRecognizer', num_classes=3, backbone=dict(backbone)))
    check_start(model, dict(state_dict=state), 'a.pth')
    # batch statistics are weights, too; their counters are not
    lost = next(key for key in state if key.startswith('backbone.')
                and key.endswith('running_var'))
    counters = {key for key in state if key.endswith('num_batches_tracked')}
    with pytest.raises(CheckpointError, match=rf'\(1 of \d+\): {lost}\.'):
        check_start(model, dict(state_dict={
            key: value for key, value in state.items() if key not in {lost, *counters}}), 'a.pth')


@pytest.mark.parametrize('frozen', [True, False])
def test_an_encoder_of_its_own_training_is_a_start(frozen):
    source = dict(type='NaiveRecognizer', num_classes=3, backbone=dict(
        type='TokenViT', img_size=32, depth=1, embed_dims=24, num_heads=2, num_frames=4))
    model = MODELS.build(dict(type='FeatureClassifier', num_classes=2, encoder=source,
                              inputs=['action'], frozen=frozen))
    state = MODELS.build(source).state_dict()
    check_start(model, dict(state_dict=state), 'a.pth')
    check_start(model, dict(state_dict=model.state_dict()), 'a.pth')  # and one of its own
    with pytest.raises(CheckpointError, match='of the encoder .load_from.*blocks.0.norm1.weight'):
        check_start(model, dict(state_dict={
            key: value for key, value in state.items() if 'blocks' not in key}), 'a.pth')


def test_a_flipped_byte_is_noticed(tmp_path):
    weight = torch.arange(1000.)
    path = tmp_path / 'a.pth'
    save(path, state_dict=dict(weight=weight))
    content = bytearray(path.read_bytes())
    place = content.find(weight[500:510].numpy().tobytes())
    content[place] ^= 1
    path.write_bytes(bytes(content))
    # torch itself reads it, with another number in it
    assert not torch.load(path, weights_only=True)['state_dict']['weight'].equal(weight)
    with pytest.raises(CheckpointError, match='damaged, the checksum of .*data/0'):
        load_checkpoint_file(str(path))


def test_newest_usable_checkpoint(tmp_path):
    assert find_resumable(tmp_path) is None
    for epoch in (2, 9, 10):
        save(tmp_path / f'epoch_{epoch}.pth')
    save(tmp_path / 'best_acc_epoch_11.pth')
    assert find_resumable(tmp_path) == str(tmp_path / 'epoch_10.pth')
    (tmp_path / 'epoch_10.pth').write_bytes(b'PK')
    assert find_resumable(tmp_path) == str(tmp_path / 'epoch_9.pth')
