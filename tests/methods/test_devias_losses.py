"""The terms of DEVIAS' loss on values that can be worked out by hand, and their wiring."""
import math

import pytest
import torch
import torch.nn.functional as F
from tiny_models import (
    ACTIONS,
    GRID,
    SCENES,
    SIZE,
    batch,
    build,
    output_of,
    slot_batch,
    targets_of,
)

from devias_mm.layers import assign_slots, pool_masks
from devias_mm.methods.devias import SlotOutput
from devias_mm.methods.devias_losses import (
    MATCHING_COSTS,
    AttentionGuidance,
    MaskDecoding,
    PrintedSlotCosine,
    SlotBatch,
    SlotCosine,
    matching_costs,
    scene_divergence,
)
from devias_mm.structures import ClipTargets

FAME = [dict(type='FAMEMasks', tau=0.2), dict(type='SceneMix', ratio=0.5)]
# the terms as the paper prints them
PRINTED = dict(scene=dict(type='SceneCrossEntropy'),
               mask=dict(type='MaskDecoding', target='frames', sigmoid_twice=False),
               guidance=dict(type='AttentionGuidance', reduction='sum'),
               cosine=dict(type='PrintedSlotCosine'))
NO_MASKS = dict(mask=None, guidance=None)


def batch_of(**fields) -> SlotBatch:
    """A batch of which a term needs some fields only."""
    zeros = torch.zeros(1, dtype=torch.long)
    fields = dict(dict(slots=None, attention=None, logits=None, grid=GRID, action_slot=zeros,
                       scene_slot=zeros, action=None, scene=None, num_classes=ACTIONS), **fields)
    return SlotBatch(**fields)


@pytest.mark.parametrize('cosine, term, expected', [
    # K = 2: two ordered pairs; printed: (1 / K) sum (1 - cos); published: their mean
    (1.0, PrintedSlotCosine, 0.0), (1.0, SlotCosine, 1.0),
    (0.0, PrintedSlotCosine, 1.0), (0.0, SlotCosine, 0.0),
    (-1.0, PrintedSlotCosine, 2.0), (-1.0, SlotCosine, -1.0),
    (0.5, PrintedSlotCosine, 0.5), (-0.5, SlotCosine, -0.5)])
def test_cosine_of_two_slots(cosine, term, expected):
    slots = torch.tensor([[[3.0, 0.0], [7 * cosine, 7 * math.sqrt(1 - cosine**2)]]])
    assert term()(batch_of(slots=slots)).item() == pytest.approx(expected, abs=1e-6)


def test_cosine_of_three_slots():
    slots = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]])  # cosines 0, 0, -1
    printed = PrintedSlotCosine(weight=0.5)(batch_of(slots=slots))
    assert printed.item() == pytest.approx(0.5 * (1 + 1 + 2) * 2 / 3)
    assert SlotCosine(weight=3.0)(batch_of(slots=slots)).item() == pytest.approx(-1.0)


def test_cosine_is_a_mean_over_the_clips():
    slots = torch.tensor([[[1.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]])
    assert SlotCosine()(batch_of(slots=slots)).item() == pytest.approx(0.5)


@pytest.mark.parametrize('term, better', [(SlotCosine, True), (PrintedSlotCosine, False)])
def test_the_published_cosine_pushes_slots_apart_the_printed_one_does_not(term, better):
    slots = torch.tensor([[[1.0, 0.0], [1.0, 0.5]]], requires_grad=True)
    term()(batch_of(slots=slots)).backward()
    moved = slots.detach() - 0.1 * slots.grad
    assert (F.cosine_similarity(*moved[0], dim=0)
            < F.cosine_similarity(*slots[0], dim=0)) == better


def test_guidance():
    masks = (torch.rand(2, *GRID) > 0.5).float()
    roles = dict(action_slot=torch.tensor([1, 1]), scene_slot=torch.tensor([0, 0]))

    def loss(attention, **kwargs):
        both = torch.stack([torch.zeros_like(attention), attention], dim=1)
        return AttentionGuidance(**kwargs)(batch_of(attention=both, masks=masks, **roles)).item()

    flat, tokens = masks.flatten(1), math.prod(GRID)
    assert loss(flat) == 0
    assert loss(1 - flat, reduction='sum') == tokens  # a squared norm, averaged over the clips
    assert loss(1 - flat) == 1
    assert loss(0.5 * torch.ones_like(flat), weight=2.0) == 0.5


def test_mask_loss():
    masks = torch.tensor([[1.0, 0.0, 0.25]])
    logits = torch.tensor([[2.0, -1.0, 0.5]])
    p = logits.sigmoid()
    expected = -(masks * p.log() + (1 - masks) * (1 - p).log()).mean()
    once, twice = MaskDecoding(sigmoid_twice=False), MaskDecoding()
    torch.testing.assert_close(once.compare(logits, masks), expected)
    assert once.compare(torch.tensor([[20.0, -20.0]]), masks[:, :2]) < 1e-6
    # squashed twice, the loss cannot fall below 0.313 (foreground) and 0.693 (background)
    foreground = twice.compare(torch.tensor([[99.0]]), torch.ones(1, 1))
    background = twice.compare(torch.tensor([[-99.0]]), torch.zeros(1, 1))
    assert [round(float(v), 3) for v in (foreground, background)] == [0.313, 0.693]


def test_scene_kl():
    teacher = torch.tensor([[2., 0.], [0., 1.]])
    extended = torch.cat([torch.full((2, ACTIONS), -1.), teacher], dim=1)  # smallest - 1
    assert scene_divergence(extended, teacher, ACTIONS).abs() < 1e-7
    student = torch.randn(2, ACTIONS + SCENES)
    p = extended.softmax(-1)
    expected = (p * (p.log() - student.log_softmax(-1))).sum() / 2 / (ACTIONS + SCENES)
    torch.testing.assert_close(scene_divergence(student, teacher, ACTIONS), expected)


@pytest.mark.parametrize('cost', MATCHING_COSTS)
def test_matching_costs(cost):
    logits = torch.randn(4, 3, ACTIONS + SCENES, requires_grad=True)
    action, scene = torch.tensor([0, 1, 2, 1]), torch.tensor([0, 1, 0, 1]) + ACTIONS
    costs = matching_costs(logits, action, scene, cost)
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
        return assign_slots(*matching_costs(output.logits, targets.action, scene))

    swapped = SlotOutput(*(x.flip(1) for x in output[:3]), GRID)
    assigned, reverse = assign(output), assign(swapped)
    assert torch.equal(1 - assigned[0], reverse[0])
    assert torch.equal(1 - assigned[1], reverse[1])
    # and nothing else: the losses are the same
    found = model.loss_of_slots(slot_batch(model, output, *assigned, targets))
    again = model.loss_of_slots(slot_batch(model, swapped, *reverse, targets))
    for key, value in found.items():
        if '_slot' not in key:
            torch.testing.assert_close(again[key], value)


@pytest.mark.parametrize('published', [False, True])
def test_each_term_takes_its_slot_and_target(published):
    changes = {} if published else PRINTED
    weights = dict(scene=7.0, mask=2.0, guidance=3.0, cosine=5.0)
    types = dict(scene='SceneDistillation', mask='MaskDecoding', guidance='AttentionGuidance',
                 cosine='SlotCosine')
    losses = {name: dict(changes.get(name, dict(type=types[name])), weight=weight)
              for name, weight in weights.items()}
    model = build('DEVIAS', losses=losses)
    output, targets, teacher = output_of(model), targets_of(), torch.randn(3, SCENES)
    action_slot, scene_slot = torch.tensor([0, 1, 0]), torch.tensor([1, 0, 1])
    result = model.loss_of_slots(
        slot_batch(model, output, action_slot, scene_slot, targets, teacher))
    rows = torch.arange(3)
    scene_logits = output.logits[rows, scene_slot]
    squared = (output.attention[rows, action_slot] - targets.masks.flatten(1)).square()
    decoded = model.mask_decoder(output.slots[rows, action_slot]).sigmoid()
    cosine = F.cosine_similarity(output.slots[:, 0], output.slots[:, 1], dim=-1)
    expected = dict(loss_action=F.cross_entropy(output.logits[rows, action_slot], targets.action))
    if published:
        expected.update(
            loss_scene=7 * scene_divergence(scene_logits, teacher, ACTIONS),
            loss_guidance=3 * squared.mean(),
            loss_mask=2 * F.binary_cross_entropy_with_logits(
                decoded, targets.clip_mask.flatten(1)),
            loss_cosine=5 * cosine.mean())
    else:
        expected.update(
            loss_scene=7 * F.cross_entropy(scene_logits, targets.scene + ACTIONS),
            loss_guidance=3 * squared.sum(1).mean(),
            loss_mask=2 * F.binary_cross_entropy(decoded, targets.masks.mean(1).flatten(1)),
            loss_cosine=5 * (1 - cosine).mean())
    for key, value in expected.items():
        torch.testing.assert_close(result[key], value, msg=lambda t, key=key: f'{key}: {t}')
    total, _ = model.parse_losses(result)
    torch.testing.assert_close(total, sum(expected.values()))  # monitors are not summed
    result['loss_mask'].backward()
    assert output.slots.grad[rows, scene_slot].abs().sum() == 0


def test_the_published_scene_weight_is_that_of_the_divergence():
    model = build('DEVIAS')
    output, targets, teacher = output_of(model), targets_of(), torch.randn(3, SCENES)
    slots = torch.tensor([0, 1, 0]), torch.tensor([1, 0, 1])
    logits = output.logits[torch.arange(3), slots[1]]
    found = model.loss_of_slots(slot_batch(model, output, *slots, targets, teacher))['loss_scene']
    torch.testing.assert_close(found, 4000 * scene_divergence(logits, teacher, ACTIONS))
    # hard labels of a list have no divergence
    found = model.loss_of_slots(slot_batch(model, output, *slots, targets))['loss_scene']
    torch.testing.assert_close(found, F.cross_entropy(logits, targets.scene + ACTIONS))


def test_mixed_labels_have_no_scene():
    model = build('DEVIAS', losses=NO_MASKS)
    output, targets = output_of(model), targets_of()
    slots = torch.tensor([0, 1, 0]), torch.tensor([1, 0, 1])
    targets.action = torch.tensor([[0.3, 0.7, 0.0], [1.0, 0.0, 0.0], [0.0, 0.5, 0.5]])
    log_p = output.logits[torch.arange(3), slots[0]].log_softmax(-1)[:, :ACTIONS]
    found = model.loss_of_slots(slot_batch(model, output, *slots, targets))['loss_action']
    torch.testing.assert_close(found, -(targets.action * log_p).sum(1).mean())


def test_scene_labels_come_after_the_actions():
    model = build('DEVIAS', assignment='hard', losses=NO_MASKS).eval()
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
    model = build('DEVIAS', losses=dict(NO_MASKS, cosine=None))
    assert model.mask_decoder is None
    result = model(**model.data_preprocessor(batch(), training=True), mode='loss')
    assert {key for key in result if 'loss' in key} == {'loss_action', 'loss_scene'}


def test_predicts_from_the_slots_of_highest_probability(monkeypatch):
    logits = torch.tensor([
        [[4.0, 0.0, 0.0, 0.0, 3.0], [0.0, 2.0, 0.0, 0.0, 0.0]],  # slot 0: action 0 and scene 1
        [[0.0, 0.0, 0.0, 9.0, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0]]])  # slot 0 scene 0, slot 1 action 2
    p = logits.softmax(-1)
    model = build('DEVIAS', action_scores='part', scene_scores='part')
    monkeypatch.setattr(model, 'encode_slots', lambda clips: SlotOutput(None, None, logits, GRID))
    scores = model.probabilities(None)
    torch.testing.assert_close(scores['action'], torch.stack([p[0, 0], p[1, 1]])[:, :ACTIONS])
    torch.testing.assert_close(scores['scene'], torch.stack([p[0, 0], p[1, 0]])[:, ACTIONS:])


def test_which_classes_compete(monkeypatch):
    logits = torch.tensor([[[1.0, 0.0, 0.5, 5.0, 0.0], [0.0, 0.0, 0.0, 6.0, 0.0]]])
    p = logits.softmax(-1)[0]
    own = logits[0, 1, ACTIONS:].softmax(-1)
    found = {}
    for kind in ('all', 'own', 'part'):
        model = build('DEVIAS', action_scores=kind, scene_scores=kind)
        monkeypatch.setattr(model, 'encode_slots',
                            lambda clips: SlotOutput(None, None, logits, GRID))
        found[kind] = model.probabilities(None)
    torch.testing.assert_close(found['all']['action'][0], p[0])
    scenes_first = torch.cat([p[1, ACTIONS:], p[1, :ACTIONS]])
    torch.testing.assert_close(found['all']['scene'][0], scenes_first)
    torch.testing.assert_close(found['own']['action'][0], logits[0, 0, :ACTIONS].softmax(-1))
    torch.testing.assert_close(found['own']['scene'][0], own)
    torch.testing.assert_close(found['part']['action'][0], p[0, :ACTIONS])
    torch.testing.assert_close(found['part']['scene'][0], p[1, ACTIONS:])
    # a scene may win the action prediction, and is an error
    assert found['all']['action'].argmax() == ACTIONS
    assert found['own']['action'].argmax() == 0


def test_the_published_scene_scores_of_two_views(monkeypatch):
    """Softmax over the scenes of each view, then the mean; of the action over all classes."""
    views = torch.tensor([[[0.0, 0.0, 0.0, 2.0, 0.0]] * 2, [[5.0, 0.0, 0.0, 0.0, 2.0]] * 2])
    model = build('DEVIAS').eval()
    monkeypatch.setattr(model, 'encode_slots', lambda clips: SlotOutput(None, None, views, GRID))
    data = batch(views=2, scenes=(0, 1, 0, 1))
    sample, = model.predict(torch.zeros(1, 2, 3, *SIZE), data['data_samples'][:1])
    scenes = views[:, 0, ACTIONS:].softmax(-1).mean(0)
    torch.testing.assert_close(sample.pred_scene_score, scenes)
    torch.testing.assert_close(sample.pred_score, views[:, 0].softmax(-1).mean(0))
    # the scene part of a softmax over all classes gives another answer: view 1 hardly counts
    part = views[:, 0].softmax(-1).mean(0)[ACTIONS:]
    assert (part / part.sum() - scenes).abs().max() > 0.3


def test_hard_assignment():
    model = build('DEVIAS', augments=FAME, assignment='hard')
    data = model.data_preprocessor(batch(), training=True)
    assert model(**data, mode='loss')['action_slot0'] == 100
    with torch.no_grad():  # slots exchanged: only the fixed assignment does not mind
        model.slot_attention.slots.copy_(model.slot_attention.slots.flip(1))
    assert model(**data, mode='loss')['action_slot0'] == 100


def test_missing_masks():
    model = build('DEVIAS')
    with pytest.raises(ValueError, match='FAMEMasks.*mask=None, guidance=None'):
        model(**model.data_preprocessor(batch(), training=True), mode='loss')


@pytest.mark.parametrize('name, value', [
    ('assignment_cost', 'l2'), ('action_scores', 'both'), ('scene_scores', 'scene'),
    ('assignment', 'best')])
def test_bad_options(name, value):
    with pytest.raises(ValueError, match=f'{name} must be one of.*{value}'):
        build('DEVIAS', **{name: value})


@pytest.mark.parametrize('losses, message', [
    (dict(mask=dict(type='MaskDecoding', target='frame')), "target must be 'clip' or 'frames'"),
    (dict(mask=dict(type='MaskDecoding', slots=('background', ))), 'slots must name some of'),
    (dict(mask=dict(type='MaskDecoding', slots=())), 'slots must name some of'),
    (dict(mask=dict(type='SlotCosine')), 'losses.mask must be a DecoderLoss'),
    (dict(guidance=dict(type='AttentionGuidance', reduction='max')), "'mean' or 'sum'")])
def test_bad_losses(losses, message):
    with pytest.raises(ValueError, match=message):
        build('DEVIAS', losses=losses)


def test_mask_target_follows_the_grid():
    """The decoder's tokens are rows times columns, in the order of the pooled masks."""
    model = build('DEVIAS')
    masks = torch.zeros(1, 4, *SIZE[1:])
    masks[:, :, :4, 12:] = 1.  # upper right
    target = pool_masks(masks, GRID).mean(1)
    assert target[0].nonzero().flatten().tolist() == [3]
    assert model.mask_decoder.layers[-1].out_features == target.shape[1]
