"""The terms of DEVIAS' loss on values that can be worked out by hand, and their wiring."""
import math

import pytest
import torch
import torch.nn.functional as F
from tiny_models import ACTIONS, GRID, SCENES, SIZE, batch, build, output_of, targets_of

from devias_mm.layers import assign_slots, pool_masks
from devias_mm.methods import devias_losses as losses
from devias_mm.methods.devias import SlotOutput
from devias_mm.structures import ClipTargets

FAME = [dict(type='FAMEMasks', tau=.2), dict(type='SceneMix', ratio=.5)]


@pytest.mark.parametrize('cosine, form, expected', [
    # K = 2: two ordered pairs; printed: (1 / K) sum (1 - cos); the others: their mean
    (1., 'printed', 0.), (1., 'signed', 1.), (1., 'absolute', 1.),
    (0., 'printed', 1.), (0., 'signed', 0.), (0., 'absolute', 0.),
    (-1., 'printed', 2.), (-1., 'signed', -1.), (-1., 'absolute', 1.),
    (.5, 'printed', .5), (-.5, 'signed', -.5), (-.5, 'absolute', .5)])
def test_cosine_of_two_slots(cosine, form, expected):
    slots = torch.tensor([[[3., 0.], [7 * cosine, 7 * math.sqrt(1 - cosine**2)]]])
    assert losses.cosine_loss(slots, form).item() == pytest.approx(expected, abs=1e-6)


def test_cosine_of_three_slots():
    slots = torch.tensor([[[1., 0.], [0., 1.], [-1., 0.]]])  # cosines 0, 0, -1
    assert losses.cosine_loss(slots, 'printed').item() == pytest.approx((1 + 1 + 2) * 2 / 3)
    assert losses.cosine_loss(slots, 'signed').item() == pytest.approx(-1 / 3)
    assert losses.cosine_loss(slots, 'absolute').item() == pytest.approx(1 / 3)


@pytest.mark.parametrize('form, better', [('signed', True), ('absolute', True),
                                          ('printed', False)])
def test_cosine_pushes_slots_apart_but_for_the_printed_form(form, better):
    slots = torch.tensor([[[1., 0.], [1., .5]]], requires_grad=True)
    losses.cosine_loss(slots, form).backward()
    moved = slots.detach() - .1 * slots.grad
    assert (F.cosine_similarity(*moved[0], dim=0)
            < F.cosine_similarity(*slots[0], dim=0)) == better


def test_guidance():
    masks = (torch.rand(2, 10) > .5).float()
    assert losses.guidance_loss(masks, masks) == 0
    opposite = losses.guidance_loss(1 - masks, masks)
    assert opposite == 10  # the squared norm, averaged over the clips alone
    assert losses.guidance_loss(1 - masks, masks, 'mean') == 1
    assert losses.guidance_loss(.5 * torch.ones(2, 10), masks) == 2.5


def test_mask_loss():
    masks = torch.tensor([[1., 0., .25]])
    logits = torch.tensor([[2., -1., .5]])
    p = logits.sigmoid()
    expected = -(masks * p.log() + (1 - masks) * (1 - p).log()).mean()
    torch.testing.assert_close(losses.mask_loss(logits, masks), expected)
    assert losses.mask_loss(torch.tensor([[20., -20.]]), masks[:, :2]) < 1e-6
    # squashed twice, the loss cannot fall below 0.313 (foreground) and 0.693 (background)
    double = [losses.mask_loss(torch.tensor([[99.]]), torch.ones(1, 1), 'double_sigmoid_bce'),
              losses.mask_loss(torch.tensor([[-99.]]), torch.zeros(1, 1), 'double_sigmoid_bce')]
    assert [round(float(v), 3) for v in double] == [.313, .693]


def test_scene_kl():
    teacher = torch.tensor([[2., 0.], [0., 1.]])
    extended = torch.cat([torch.full((2, ACTIONS), -1.), teacher], dim=1)  # smallest - 1
    assert losses.scene_kl(extended, teacher, ACTIONS).abs() < 1e-7
    student = torch.randn(2, ACTIONS + SCENES)
    p = extended.softmax(-1)
    expected = (p * (p.log() - student.log_softmax(-1))).sum() / 2 / (ACTIONS + SCENES)
    torch.testing.assert_close(losses.scene_kl(student, teacher, ACTIONS), expected)


@pytest.mark.parametrize('cost', losses.MATCHING_COSTS)
def test_matching_costs(cost):
    logits = torch.randn(4, 3, ACTIONS + SCENES, requires_grad=True)
    action, scene = torch.tensor([0, 1, 2, 1]), torch.tensor([0, 1, 0, 1]) + ACTIONS
    costs = losses.matching_costs(logits, action, scene, cost)
    for values, labels in zip(costs, (action, scene)):
        assert values.shape == (4, 3)
        assert not values.requires_grad
        p = logits.softmax(-1)[torch.arange(4), :, labels].detach()
        torch.testing.assert_close(values, -p if cost == 'probability' else -p.log())


def test_swapped_slots_swap_the_assignment():
    model = build('DEVIAS')
    output, targets = output_of(model), targets_of()
    scene = targets.scene + ACTIONS

    def assign(output):
        return assign_slots(*losses.matching_costs(output.logits, targets.action, scene))

    swapped = SlotOutput(*(x.flip(1) for x in output[:3]), GRID)
    assigned, reverse = assign(output), assign(swapped)
    assert torch.equal(1 - assigned[0], reverse[0])
    assert torch.equal(1 - assigned[1], reverse[1])
    # and nothing else: the losses are the same
    for key, value in model.losses_of_assignment(output, *assigned, targets, scene).items():
        if '_slot' not in key:
            again = model.losses_of_assignment(swapped, *reverse, targets, scene)[key]
            torch.testing.assert_close(again, value)


@pytest.mark.parametrize('mask_target', ['temporal_mean', 'clip'])
def test_each_term_takes_its_slot_and_target(mask_target):
    model = build('DEVIAS', mask_weight=2., guidance_weight=3., cosine_weight=5., scene_weight=7.,
                  mask_target=mask_target)
    output, targets = output_of(model), targets_of()
    action_slot, scene_slot = torch.tensor([0, 1, 0]), torch.tensor([1, 0, 1])
    scene = targets.scene + ACTIONS
    result = model.losses_of_assignment(output, action_slot, scene_slot, targets, scene)
    rows = torch.arange(3)
    target = targets.clip_mask.flatten(1) if mask_target == 'clip' \
        else targets.masks.mean(1).flatten(1)
    expected = dict(
        loss_action=F.cross_entropy(output.logits[rows, action_slot], targets.action),
        loss_scene=7 * F.cross_entropy(output.logits[rows, scene_slot], scene),
        loss_guidance=3 * (output.attention[rows, action_slot]
                           - targets.masks.flatten(1)).square().sum(1).mean(),
        loss_mask=2 * F.binary_cross_entropy(
            model.mask_decoder(output.slots[rows, action_slot]).sigmoid(), target),
        loss_cosine=5 * losses.cosine_loss(output.slots))
    for key, value in expected.items():
        torch.testing.assert_close(result[key], value, msg=lambda t, key=key: f'{key}: {t}')
    total, _ = model.parse_losses(result)
    torch.testing.assert_close(total, sum(expected.values()))  # monitors are not summed
    result['loss_mask'].backward()
    assert output.slots.grad[rows, scene_slot].abs().sum() == 0


def test_the_published_scene_weight_is_that_of_the_divergence():
    model = build('DEVIAS', scene_loss='kl', scene_weight=4000.)
    output, targets, soft = output_of(model), targets_of(), torch.randn(3, SCENES)
    slots, scene = (torch.tensor([0, 1, 0]), torch.tensor([1, 0, 1])), targets.scene + ACTIONS
    logits = output.logits[torch.arange(3), slots[1]]
    found = model.losses_of_assignment(output, *slots, targets, scene, soft)['loss_scene']
    torch.testing.assert_close(found, 4000 * losses.scene_kl(logits, soft, ACTIONS))
    # hard labels of a list have no divergence
    found = model.losses_of_assignment(output, *slots, targets, scene)['loss_scene']
    torch.testing.assert_close(found, F.cross_entropy(logits, scene))


def test_scene_labels_come_after_the_actions():
    model = build('DEVIAS', assignment='hard', mask_weight=0., guidance_weight=0.).eval()
    inputs, targets = torch.randn(2, 1, 3, *SIZE), ClipTargets(
        torch.tensor([2, 0]), torch.tensor([1, 0]))
    log_p = model.encode_slots(inputs[:, 0]).logits.log_softmax(-1)
    result = model.loss(inputs, None, targets)
    torch.testing.assert_close(
        result['loss_action'], -(log_p[0, 0, 2] + log_p[1, 0, 0]) / 2)
    torch.testing.assert_close(
        result['loss_scene'], -(log_p[0, 1, ACTIONS + 1] + log_p[1, 1, ACTIONS]) / 2)


def test_no_gradient_reaches_the_masks():
    model = build('DEVIAS', augments=FAME)
    data = model.data_preprocessor(batch(), training=True)
    targets = data['targets']
    assert not targets.masks.requires_grad
    targets.masks.requires_grad_()
    result = model(**data, mode='loss')
    assert result['loss_guidance'].requires_grad
    model.parse_losses(result)[0].backward()
    assert model.slot_attention.slots.grad is not None
    data['targets'].masks.requires_grad_(False)


def test_terms_can_be_left_out():
    model = build('DEVIAS', mask_weight=0., guidance_weight=0., cosine_weight=0.)
    assert model.mask_decoder is None
    result = model(**model.data_preprocessor(batch(), training=True), mode='loss')
    assert {key for key in result if 'loss' in key} == {'loss_action', 'loss_scene'}


def test_predicts_from_the_slots_of_highest_probability(monkeypatch):
    logits = torch.tensor([
        [[4., 0., 0., 0., 3.], [0., 2., 0., 0., 0.]],  # slot 0: action 0 and scene 1
        [[0., 0., 0., 9., 0.], [0., 0., 1., 0., 0.]]])  # slot 0 scene 0, slot 1 action 2
    p = logits.softmax(-1)
    for unified in (False, True):
        model = build('DEVIAS', unified_argmax=unified)
        monkeypatch.setattr(model, 'encode_slots',
                            lambda clips: SlotOutput(None, None, logits, GRID))
        scores = model.probabilities(None)
        width = ACTIONS + SCENES if unified else ACTIONS
        torch.testing.assert_close(scores['action'], torch.stack([p[0, 0], p[1, 1]])[:, :width])
        torch.testing.assert_close(scores['scene'], torch.stack([p[0, 0], p[1, 0]])[:, ACTIONS:])


def test_a_scene_may_win_the_unified_argmax(monkeypatch):
    logits = torch.tensor([[[1., 0., 0., 5., 0.], [0., 0., 0., 6., 0.]]])
    winners = []
    for unified in (False, True):
        model = build('DEVIAS', unified_argmax=unified)
        monkeypatch.setattr(model, 'encode_slots',
                            lambda clips: SlotOutput(None, None, logits, GRID))
        winners.append(int(model.probabilities(None)['action'].argmax()))
    assert winners == [0, ACTIONS]  # scene 0 is class Na


def test_hard_assignment():
    model = build('DEVIAS', augments=FAME, assignment='hard')
    data = model.data_preprocessor(batch(), training=True)
    assert model(**data, mode='loss')['action_slot0'] == 100
    with torch.no_grad():  # slots exchanged: only the fixed assignment does not mind
        model.slot_attention.slots.copy_(model.slot_attention.slots.flip(1))
    assert model(**data, mode='loss')['action_slot0'] == 100


def test_missing_masks():
    model = build('DEVIAS')
    with pytest.raises(ValueError, match='FAMEMasks.*mask_weight=0 and guidance_weight=0'):
        model(**model.data_preprocessor(batch(), training=True), mode='loss')


@pytest.mark.parametrize('name, value', [
    ('assignment_cost', 'l2'), ('scene_loss', 'mse'), ('mask_loss', 'dice'),
    ('mask_target', 'frame'), ('guidance_reduction', 'max'), ('cosine', 'angle'),
    ('assignment', 'best')])
def test_bad_options(name, value):
    with pytest.raises(ValueError, match=f'{name} must be one of.*{value}'):
        build('DEVIAS', **{name: value})


def test_mask_target_follows_the_grid():
    """The decoder's tokens are rows times columns, in the order of the pooled masks."""
    model = build('DEVIAS', cosine_weight=0.)
    masks = torch.zeros(1, 4, *SIZE[1:])
    masks[:, :, :4, 12:] = 1.  # upper right
    target = pool_masks(masks, GRID).mean(1)
    assert target[0].nonzero().flatten().tolist() == [3]
    assert model.mask_decoder.layers[-1].out_features == target.shape[1]
