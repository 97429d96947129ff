"""Mixup, CutMix, VideoMix: pixels, labels, scenes and masks are of the same clips."""
import pytest
import torch
from mmaction.registry import MODELS

from devias_mm.augments import CutMix, Mixup, OneOf, VideoMix
from devias_mm.augments.mixing import mix_labels, soft_labels
from devias_mm.structures import ClipTargets

B, T, S, CLASSES = 6, 8, 16, 7
MIXINGS = {
    'mixup': Mixup(CLASSES, alpha=0.8),
    'cutmix': CutMix(CLASSES),
    'space': VideoMix(CLASSES, extent='space'),
    'time': VideoMix(CLASSES, extent='time'),
    'space-time': VideoMix(CLASSES, extent='space-time'),
}


def coded_batch(num_scenes: int = 0):
    """Clip i is one-hot in channel i: a pixel says what share of which clip it is."""
    clips = torch.eye(B).view(B, B, 1, 1, 1).expand(B, B, T, S, S).clone()
    scene = torch.eye(B) if num_scenes else torch.arange(B) + 100
    masks = (torch.arange(B) + 1.).view(B, 1, 1, 1).expand(B, T // 2, S, S) / B
    return clips, ClipTargets(torch.arange(B), scene, masks.clone(), masks[:, 0].clone())


@pytest.mark.parametrize('name', MIXINGS)
@pytest.mark.parametrize('seed', range(5))
def test_everything_is_mixed_alike(name, seed):
    torch.manual_seed(seed)
    clips, targets = coded_batch()
    before = clips.clone()
    output, result = MIXINGS[name](clips, targets)
    assert torch.equal(clips, before), 'the input is changed in place'
    assert torch.equal(targets.action, torch.arange(B))
    share = output.mean((2, 3, 4))  # (B, B): how much of each clip can be seen
    torch.testing.assert_close(share.sum(1), torch.ones(B))
    torch.testing.assert_close(result.action[:, :B], share)
    assert (result.action[:, B:] == 0).all()
    # hard scene labels: the larger share, where it is not a tie
    decided = share.amax(1) > 0.5 + 1e-4
    assert torch.equal(result.scene[decided], share.argmax(1)[decided] + 100)
    # a mask's value says whose it is; it must be where its pixels are
    value = (torch.arange(B) + 1.) / B
    seen = torch.einsum('bcthw,c->bthw', output, value)
    torch.testing.assert_close(result.masks, seen.unflatten(1, (T // 2, 2)).mean(2))
    torch.testing.assert_close(result.clip_mask, seen.mean(1))


def test_soft_scenes_are_mixed():
    for seed in range(3):
        torch.manual_seed(seed)
        clips, targets = coded_batch(num_scenes=B)
        output, result = Mixup(CLASSES)(clips, targets)
        torch.testing.assert_close(result.scene, output.mean((2, 3, 4)))
        clips, targets = coded_batch()
        targets.scene = torch.arange(B)
        output, result = CutMix(CLASSES, num_scene_classes=B)(clips, targets)
        torch.testing.assert_close(result.scene, output.mean((2, 3, 4)))
    clips, targets = coded_batch()
    result = Mixup(CLASSES)(clips, ClipTargets(targets.action))[1]
    assert result.scene is None and result.masks is None and result.clip_mask is None


def test_mixing_twice_mixes_the_probabilities():
    clips, targets = coded_batch()
    output, result = Mixup(CLASSES)(*CutMix(CLASSES)(clips, targets))
    torch.testing.assert_close(result.action[:, :B], output.mean((2, 3, 4)))


def partner_map(mixing, lam: float, seed: int = 0) -> torch.Tensor:
    torch.manual_seed(seed)
    clips = torch.zeros(2, 3, T, S, 2 * S)  # not square, to tell rows from columns
    return 1 - mixing.own_share(torch.tensor(lam), clips).expand(1, T, S, 2 * S)[0]


def test_shapes_of_the_cut():
    for seed in range(10):
        box = partner_map(CutMix(CLASSES), 0.75, seed)
        assert (box == box[:1]).all()  # the same in all frames
        rows, columns = box[0].amax(1), box[0].amax(0)
        assert torch.equal(box[0], rows[:, None] * columns)  # a box
        assert rows.sum() <= 8 and columns.sum() <= 16  # sides sqrt(1 - lam), cut at the border
        span = partner_map(VideoMix(CLASSES, extent='time'), 0.75, seed)
        assert (span == span[:, :1, :1]).all()  # whole frames
        assert span[:, 0, 0].sum() == 2  # (1 - lam) T
        assert (span[:, 0, 0].diff().abs().sum()) <= 2  # of one interval
        cuboid = partner_map(VideoMix(CLASSES, extent='space-time'), 1 - 0.5**3, seed)
        frames = cuboid.amax((1, 2))
        assert frames.sum() == 4 and frames.diff().abs().sum() <= 2
        box = cuboid[frames > 0]
        assert (box == box[:1]).all() and box[0].amax(1).sum() <= 8 and box[0].amax(0).sum() <= 16
    assert max(partner_map(CutMix(CLASSES), 0.75, seed)[0].sum() for seed in range(50)) == 128
    spatial = VideoMix(CLASSES, extent='space')
    assert torch.equal(partner_map(spatial, 0.4), partner_map(CutMix(CLASSES), 0.4))


@pytest.mark.parametrize('extent', ['space', 'time', 'space-time'])
@pytest.mark.parametrize('lam', [0., 1.])
def test_extremes(extent, lam):
    """lam = 1 leaves the clip, lam = 0 cuts as much as fits."""
    cut = partner_map(VideoMix(CLASSES, extent=extent), lam)
    assert (cut == 0).all() if lam else cut.mean() > 0.2


def test_mixup_weight_follows_beta():
    clips, targets = coded_batch()
    torch.manual_seed(0)
    # a partner that is the clip itself (a fixed point) hides the weight
    weights = [share for _ in range(200) for share in
               Mixup(CLASSES, alpha=0.8)(clips, targets)[1].action[:1, 0].tolist() if share < 1]
    weights = torch.tensor(weights)
    assert abs(weights.mean() - 0.5) < 0.1
    assert abs(weights.var() - 1 / (4 * (2 * 0.8 + 1))) < 0.03  # of Beta(0.8, 0.8)


def test_prob_and_seeds():
    clips, targets = coded_batch()
    untouched, same = Mixup(CLASSES, prob=0.)(clips, targets)
    assert untouched is clips and same is targets

    def mix(name, seed):
        torch.manual_seed(seed)
        return MIXINGS[name](clips, targets)[0]

    for name in MIXINGS:
        assert torch.equal(mix(name, 3), mix(name, 3))
        assert any(not torch.equal(mix(name, 3), mix(name, seed)) for seed in (4, 5))
    torch.manual_seed(0)
    mixed = sum(Mixup(CLASSES, prob=0.3)(clips, targets)[0] is not clips for _ in range(300))
    assert 60 < mixed < 120


def test_labels():
    labels = torch.tensor([2, 0])
    assert soft_labels(labels, 3).tolist() == [[0, 0, 1], [1, 0, 0]]
    soft = torch.tensor([[0.5, 0.5], [1., 0.]])
    assert soft_labels(soft, 2) is soft
    partner = torch.tensor([1, 0])
    assert mix_labels(labels, partner, torch.tensor([0.4])).tolist() == [0, 2]
    assert mix_labels(labels, partner, torch.tensor([0.6, 0.4])).tolist() == [2, 2]
    torch.testing.assert_close(mix_labels(soft, partner, torch.tensor([0.8, 0.])),
                               torch.tensor([[0.6, 0.4], [0.5, 0.5]]))


def test_one_of_alternates():
    clips, targets = coded_batch()
    one_of = MODELS.build(dict(type='OneOf', num_classes=CLASSES, augments=[
        dict(type='Mixup', alpha=0.8), dict(type='VideoMix', extent='time')]))
    assert [augment.num_classes for augment in one_of.augments] == [CLASSES] * 2
    torch.manual_seed(0)
    # Mixup leaves all frames alike, VideoMix does not
    kinds = [bool((output == output[:, :, :1]).all())
             for output in (one_of(clips, targets)[0] for _ in range(100))]
    assert 35 < sum(kinds) < 75  # some cuts are shorter than half a frame
    results = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        results.append(one_of(clips, targets)[0])
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])
    never = OneOf([dict(type='Mixup', num_classes=CLASSES), dict(type='StillMix', ratio=0.)],
                  probs=[0., 1.])
    assert all(torch.equal(never(clips, targets)[0], clips) for _ in range(10))


@pytest.mark.parametrize('config, message', [
    (dict(type='Mixup', alpha=0.), 'alpha must be positive, got 0.0'),
    (dict(type='CutMix', prob=2.), r'prob must lie in \[0, 1\], got 2.0'),
    (dict(type='VideoMix', extent='box'), "'space-time'.*got 'box'"),
    (dict(type='OneOf', augments=[dict(type='Mixup')], probs=[0.5]), r'1 probabilities.*\[0.5\]')])
def test_bad_options(config, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build(dict(config, num_classes=CLASSES))


def test_weights_are_uniform_by_default():
    clips, mixup = torch.zeros(2, 3, 1, 1, 1), Mixup(CLASSES)
    larger = []
    for _ in range(800):
        labels = mixup(clips, ClipTargets(torch.arange(2)))[1].action[0]
        if labels.count_nonzero() == 2:  # a clip may be its own partner
            larger.append(labels.amax())
    assert abs(torch.stack(larger).mean() - 0.75) < 0.02  # of Beta(2, 2) it is 0.69
