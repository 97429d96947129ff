"""ActorCutMix: whose pixels, whose label, and who is left alone."""
import itertools

import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.config import Config

from devias_mm.augments import ActorCutMix, DebiasDataPreprocessor
from devias_mm.structures import ClipTargets

T, S, CLASSES = 4, 8, 9


def coded_batch(shares, soft_scene: bool = False):
    """Clips of value i whose masks cover ``shares[i]`` of 8 columns, shifted by a row in time."""
    batch = len(shares)
    clips = torch.arange(batch, dtype=torch.float).view(batch, 1, 1, 1, 1).expand(
        batch, 3, T, S, S).clone()
    masks = torch.zeros(batch, T // 2, S, S)
    for i, share in enumerate(shares):
        masks[i, 0, :, :share] = 1
        masks[i, 1, :, S - share:] = 1
    scene = torch.eye(batch) if soft_scene else torch.arange(batch) + 100
    return clips, ClipTargets(torch.arange(batch), scene, masks, masks[:, 0].clone())


@pytest.mark.parametrize('soft_scene', [False, True])
@pytest.mark.parametrize('shares', [[2, 0, 4, 8, 6, 1], [3, 5, 2, 1, 7]])
def test_hand_computed(shares, soft_scene):
    clips, targets = coded_batch(shares, soft_scene)
    augment = ActorCutMix(CLASSES, ratio=1.)
    augment.mean_colour = torch.tensor([-1., -2., -3.])
    output, result = augment(clips, targets)
    assert torch.equal(clips[:, 0, 0, 0, 0], torch.arange(len(shares)).float())
    assert result.masks is targets.masks and result.clip_mask is targets.clip_mask
    for i, share in enumerate(shares):
        partner = len(shares) - 1 - i
        alone = share in (0, 8) or partner == i
        expected = torch.zeros(CLASSES)
        if alone:
            assert (output[i] == i).all()
            expected[i] = 1
        else:
            mask = targets.masks[i].repeat_interleave(2, 0).expand(3, -1, -1, -1)
            assert (output[i][mask > 0] == i).all()  # the actor is its own, in its own frame
            # x h + x' (1 - h') (1 - h), pixel by pixel; without a mask x' is unknown
            theirs = targets.masks[partner].repeat_interleave(2, 0) if shares[partner] else \
                torch.ones(T, S, S)
            for t, row, column in itertools.product(range(T), range(S), range(S)):
                if mask[0, t, row, column]:
                    continue
                expected_pixel = [-1., -2., -3.] if theirs[t, row, column] else [partner] * 3
                assert output[i, :, t, row, column].tolist() == expected_pixel
            weight = 1 - (1 - share / 8)**4
            expected[i], expected[partner] = weight, 1 - weight
        torch.testing.assert_close(result.action[i], expected)
        scene = result.scene[i].argmax() if soft_scene else result.scene[i] - 100
        assert int(scene) == (i if alone else partner)


def test_no_partner_is_left_in_the_network_input():
    """Through the data preprocessor: after normalisation the removed actors are 0."""
    preprocessor = DebiasDataPreprocessor(
        augments=[dict(type='ActorCutMix', num_classes=2, ratio=1.)], mean=[120., 90., 60.],
        std=[60., 50., 40.])
    samples, masks = [], torch.zeros(2, 1, T, S, S, dtype=torch.uint8)
    masks[0, :, :, :, :3] = 255
    masks[1, :, :, :, 5:] = 255
    for label in range(2):
        sample = ActionDataSample().set_gt_label(label)
        sample.set_field(masks[label], 'masks')
        samples.append(sample)
    clips = [torch.full((1, 3, T, S, S), value, dtype=torch.uint8) for value in (200, 30)]
    output = preprocessor(dict(inputs=clips, data_samples=samples), training=True)['inputs'][:, 0]
    first, second = ((value - torch.tensor([120., 90., 60.])) / torch.tensor([60., 50., 40.])
                     for value in (200, 30))
    zero = torch.zeros(3)
    rows = [[first] * 3 + [second] * 2 + [zero] * 3, [zero] * 3 + [first] * 2 + [second] * 3]
    for clip, expected in zip(output, rows):
        expected = torch.stack(expected, dim=1)[:, None, None].expand(3, T, S, S)
        torch.testing.assert_close(clip, expected, rtol=1e-5, atol=1e-5)


def test_ratio_and_seed():
    clips, targets = coded_batch([4] * 10)
    output, result = ActorCutMix(CLASSES + 1, ratio=0.)(clips, targets)
    assert torch.equal(output, clips)
    assert torch.equal(result.action, torch.eye(10))
    results = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        results.append(ActorCutMix(10)(clips, targets)[0])
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])
    mixed = torch.stack([(ActorCutMix(10)(clips, targets)[1].action.amax(1) < 1).float().mean()
                         for _ in range(100)])
    assert abs(mixed.mean() - 0.5) < 0.08


def test_labels_that_are_probabilities_and_what_is_missing():
    clips, targets = coded_batch([4, 4])
    targets.action = torch.tensor([[0.5, 0.5, 0], [0, 0, 1.]])
    targets.scene = targets.clip_mask = None
    result = ActorCutMix(3, 1.)(clips, targets)[1]
    weight = 1 - 0.5**4
    torch.testing.assert_close(result.action[0], torch.tensor([
        weight / 2, weight / 2, 1 - weight]))
    assert result.scene is None and result.clip_mask is None
    with pytest.raises(ValueError, match='FAMEMasks'):
        ActorCutMix(3)(clips, ClipTargets(targets.action))
    with pytest.raises(ValueError, match=r'ratio must lie in \[0, 1\], got 2'):
        ActorCutMix(3, ratio=2)


@pytest.mark.parametrize('config', [
    'vit-base-p16_8xb12-16x4x1-100e_ucf101', 'vit-base-p16_8xb12-16x4x1-100e_kinetics400',
    'vit-base-p16_8xb12-16x4x1-50e_hvu', 'conv-tokens_1xb16-8x2x1-16e_puppets'])
def test_configs_are_naive_action_with_human_masks(root, config):
    own, naive = (Config.fromfile(root / f'configs/{name}_{config}-rgb.py').to_dict()
                  for name in ('actor_cutmix/actor-cutmix', 'naive/naive-action'))
    steps = [step['type'] for step in own['train_dataloader']['dataset'].pop('pipeline')]
    assert {'LoadHumanBoxes', 'LoadMasks'} & set(steps)
    augment, = own['model']['data_preprocessor'].pop('augments')
    assert augment['type'] == 'ActorCutMix' and augment['num_classes'] == own.pop('num_classes')
    del naive['train_dataloader']['dataset']['pipeline']
    naive.pop('human_box_steps', None)  # a variable that they share
    for key in set(own) & set(naive):
        assert own[key] == naive[key], key
