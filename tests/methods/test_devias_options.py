"""The switches of DEVIAS' ablations, and who played which slot."""
import pytest
import torch
import torch.nn.functional as F
from tiny_models import (
    GRID,
    SIZE,
    batch,
    build,
    output_of,
    slot_batch,
    targets_of,
)

from devias_mm.engine.loops import _table_row
from devias_mm.evaluation.slots import slot_shares
from devias_mm.layers import attention_input, extra_token_attention
from devias_mm.methods.devias import SlotOutput
from devias_mm.methods.devias_losses import foreground_pixels
from devias_mm.store.predictions import read_predictions, write_predictions

FAME = [dict(type='FAMEMasks', tau=0.2), dict(type='SceneMix', ratio=0.5)]


@pytest.mark.parametrize('term', ['MaskDecoding', 'PixelDecoding'])
def test_the_decoder_reads_its_slots_alone(term):
    action_slot, scene_slot = torch.tensor([0, 1, 0]), torch.tensor([1, 0, 1])
    rows, clips, targets, found = torch.arange(3), torch.randn(3, 3, *SIZE), targets_of(), {}
    targets.masks = (torch.rand(3, 2, *SIZE[1:]) > 0.5).float()
    state = None
    for decoded in (('action', ), ('scene', ), ('action', 'scene')):
        model = build('DEVIAS', losses=dict(mask=dict(type=term, slots=decoded, target='frames')))
        state = state or model.mask_decoder.state_dict()
        model.mask_decoder.load_state_dict(state)
        torch.manual_seed(0)
        output = output_of(model)
        found[decoded] = model.loss_of_slots(slot_batch(
            model, output, action_slot, scene_slot, targets, clips=clips))['loss_mask']
        found[decoded].backward()
        for name, slot in (('action', action_slot), ('scene', scene_slot)):
            learns = name in decoded
            assert (output.slots.grad[rows, slot].abs().sum() > 0) == learns
    torch.testing.assert_close(found['action', 'scene'], found['action', ] + found['scene', ])


def test_foreground_pixels():
    clips = torch.arange(2 * 3 * 4 * 4 * 4.).view(2, 3, 4, 4, 4)
    masks = torch.zeros(2, 2, 4, 4)
    masks[0, 0, 2:, :2] = 1  # the lower left patch in the first two of four frames
    target = foreground_pixels(clips, masks, (2, 2, 2)).view(2, 4, 3, 2, 2)
    assert target[1].abs().sum() == 0
    assert target[0, [0, 1, 3]].abs().sum() == 0
    torch.testing.assert_close(target[0, 2], clips[0, :, :2, 2:, :2].sum(1) / 4)


def test_pixel_decoder_trains():
    model = build('DEVIAS', augments=FAME, losses=dict(mask=dict(type='PixelDecoding')))
    data = model.data_preprocessor(batch(), training=True)
    assert 0 < model(**data, mode='loss')['loss_mask'] < 10


def test_attention_of_the_extra_tokens_is_that_of_the_block():
    model = build('DEVIAS', num_extra_tokens=2, slot_attention=None)
    clips = torch.randn(2, 3, *SIZE)
    with attention_input(model.backbone) as inputs:
        extra = model.backbone(clips).extra
    attention = model.backbone.blocks[-1].attn
    found = extra_token_attention(attention, inputs[0], 2)
    # MMAction2's attention with its matrix, in which a value marks each token
    tokens = inputs[0].shape[1]
    bias = torch.cat((attention.q_bias, torch.zeros_like(attention.v_bias), attention.v_bias))
    q, k, _ = F.linear(inputs[0], attention.qkv.weight, bias).unflatten(
        -1, (3, attention.num_heads, -1)).permute(2, 0, 3, 1, 4)
    matrix = (q @ k.transpose(-1, -2) * attention.scale).softmax(-1).mean(1)
    torch.testing.assert_close(found, matrix[:, :2, 2:])
    assert found.shape == (2, 2, tokens - 2)
    output = model.encode_slots(clips)
    torch.testing.assert_close(output.slots, extra)
    torch.testing.assert_close(output.attention, found)


def test_tokens_instead_of_slots():
    model = build('DEVIAS', augments=FAME, num_extra_tokens=2, slot_attention=None)
    assert model.slot_attention is None
    data = model.data_preprocessor(batch(), training=True)
    result = model(**data, mode='loss')
    assert result['action_slot0'] == result['scene_slot1'] == 100  # roles are fixed
    result['loss_guidance'].backward()  # reaches the action token through its attention
    grad = model.backbone.extra_tokens.grad[0]
    assert grad[0].abs().sum() > 0
    scores = model.probabilities(data['inputs'][:, 0])
    assert scores['action_slot'].tolist() == [[1, 0]] * 4
    assert scores['scene_slot'].tolist() == [[0, 1]] * 4


@pytest.mark.parametrize('kwargs, message', [
    (dict(slot_attention=None), 'num_extra_tokens=2'),
    (dict(slot_attention=None, num_extra_tokens=1), 'num_extra_tokens=2, got 1')])
def test_options_that_do_not_go_together(kwargs, message):
    with pytest.raises(ValueError, match=message):
        build('DEVIAS', **kwargs)


def test_hard_roles_hold_in_the_prediction(monkeypatch):
    logits = torch.tensor([[[0., 0., 0., 5., 0.], [9., 0., 0., 0., 0.]]])  # exchanged
    chosen = []
    for assignment in ('hungarian', 'hard'):
        model = build('DEVIAS', assignment=assignment)
        monkeypatch.setattr(model, 'encode_slots',
                            lambda clips: SlotOutput(None, None, logits, GRID))
        scores = model.probabilities(None)
        chosen.append((scores['action_slot'].argmax().item(), scores['scene_slot'].argmax().item()))
    assert chosen == [(1, 0), (0, 1)]


def test_how_often_a_slot_had_a_role():
    model = build('DEVIAS', slot_attention=dict(num_slots=3),
                  losses=dict(mask=None, guidance=None))
    output, targets = output_of(model, slots=3), targets_of()
    result = model.loss_of_slots(slot_batch(
        model, output, torch.tensor([0, 2, 0]), torch.tensor([1, 1, 2]), targets))
    shares = [[result[f'{role}_slot{k}'].item() for k in range(3)] for role in ('action', 'scene')]
    assert shares == [pytest.approx(row, abs=1e-3) for row in (
        [66.6667, 0, 33.3333], [0, 66.6667, 33.3333])]


def test_slot_shares_travel_into_the_prediction_table(tmp_path):
    model = build('DEVIAS').eval()
    data = batch(views=2)
    with torch.no_grad():
        samples = model.test_step(data)
    assert samples[0].action_slot.sum() == samples[0].scene_slot.sum() == 1
    rows = [_table_row(sample) for sample in samples]
    rows.append(dict(rows[0], video_id='broken', action_scores=None, scene_scores=None,
                     action_slot=None, scene_slot=None, error='empty'))
    path = tmp_path / 'seen.parquet'
    write_predictions(path, [dict(row, video_id=str(i)) for i, row in enumerate(rows)])
    shares = slot_shares(read_predictions(path).to_dict('records'))
    expected = torch.stack([sample.action_slot for sample in samples]).mean(0)
    assert [shares['action_slot0'], shares['action_slot1']] == pytest.approx(
        (100 * expected).tolist())
