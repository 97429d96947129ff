"""Scene mixing and background erasing: arithmetic, alignment, randomness."""
import numpy as np
import pytest
import torch

from devias_mm.augments import BackgroundErasing, SceneMix, composite
from devias_mm.augments.background_erasing import erase_background
from devias_mm.structures import ClipTargets

B, T, S = 6, 4, 8


def coded_batch(soft: bool = False):
    """Clips whose pixels all hold their own number, in [0, 1], and whose masks differ."""
    code = torch.arange(B, dtype=torch.float32)
    clips = (code / B).view(B, 1, 1, 1, 1).expand(B, 3, T, S, S).clone()
    frame_masks = torch.zeros(B, T // 2, S, S)
    for i in range(B):
        for pair in range(T // 2):
            frame_masks[i, pair, i:i + 2, pair:pair + 3] = 1.
    clip_mask = frame_masks[:, 0].clone()
    scene = torch.eye(B) if soft else torch.arange(B) + 100
    return clips, ClipTargets(torch.arange(B) + 10, scene, frame_masks, clip_mask)


def test_composite_keeps_the_foreground():
    clips, donors = torch.rand(2, 3, 4, 6, 6), torch.rand(2, 3, 4, 6, 6)
    mask = torch.zeros(2, 6, 6)
    mask[0, :2] = 1.
    mask[1, :, 4:] = 0.25
    output = composite(clips, donors, mask)
    assert torch.equal(output[0, :, :, :2], clips[0, :, :, :2])
    assert torch.equal(output[0, :, :, 2:], donors[0, :, :, 2:])
    torch.testing.assert_close(output[1, ..., 4:],
                               0.25 * clips[1, ..., 4:] + 0.75 * donors[1, ..., 4:])


@pytest.mark.parametrize('masks_per_clip', [1, 2, 4])
def test_composite_over_time(masks_per_clip):
    clips, donors = torch.ones(1, 3, 4, 2, 2), torch.zeros(1, 3, 4, 2, 2)
    masks = torch.linspace(0, 1, masks_per_clip).view(1, -1, 1, 1).expand(1, -1, 2, 2)
    expected = torch.linspace(0, 1, masks_per_clip).repeat_interleave(4 // masks_per_clip)
    torch.testing.assert_close(composite(clips, donors, masks)[0, 0, :, 0, 0], expected)


def test_composite_with_a_mask_count_that_does_not_divide():
    with pytest.raises(ValueError, match='3 masks.*4 frames'):
        composite(torch.ones(1, 3, 4, 2, 2), torch.ones(1, 3, 4, 2, 2), torch.ones(1, 3, 2, 2))


@pytest.mark.parametrize('mask', ['clip', 'frame'])
@pytest.mark.parametrize('soft', [False, True])
@pytest.mark.parametrize('seed', range(4))
def test_scene_mix_keeps_things_together(mask, soft, seed):
    torch.manual_seed(seed)
    clips, targets = coded_batch(soft)
    before = clips.clone()
    output, result = SceneMix(ratio=0.7, mask=mask)(clips, targets)
    assert torch.equal(clips, before), 'the input is changed in place'
    assert torch.equal(result.action, targets.action)
    assert torch.equal(result.masks, targets.masks)
    assert torch.equal(result.clip_mask, targets.clip_mask)
    donors = []
    for i in range(B):
        frames = targets.masks[i].repeat_interleave(2, dim=0) if mask == 'frame' else \
            targets.clip_mask[i].expand(T, S, S)
        pixels = (output[i] * B).round()
        assert (pixels[:, frames > 0] == i).all()  # the figure is its own
        scene = pixels[:, frames == 0].unique()
        assert len(scene) == 1
        donor = int(scene)
        seen = result.scene[i].argmax() if soft else result.scene[i] - 100
        assert int(seen) == donor  # the label is of the scene that can be seen
        donors.append(donor)
    assert donors != list(range(B))


def test_ratio_and_seeds():
    clips, targets = coded_batch()

    def mix(ratio, seed):
        torch.manual_seed(seed)
        output, result = SceneMix(ratio=ratio)(clips, targets)
        return output, result.scene

    assert torch.equal(mix(0., 0)[0], clips)
    assert torch.equal(mix(0., 0)[1], targets.scene)
    # all clips get another's background, but for fixed points of the permutation
    assert sorted(mix(1., 1)[1].tolist()) == sorted(targets.scene.tolist())
    for a, b in zip(mix(0.5, 3), mix(0.5, 3)):
        assert torch.equal(a, b)
    assert any(not torch.equal(mix(0.5, 3)[0], mix(0.5, seed)[0]) for seed in (4, 5))
    torch.manual_seed(0)
    share = np.mean([(SceneMix(0.5)(clips, targets)[1].scene != targets.scene).float().mean()
                     for _ in range(300)])
    assert share == pytest.approx(0.5 * (B - 1) / B, abs=0.05)


def test_scene_mix_without_labels_or_masks():
    clips, targets = coded_batch()
    targets.scene = None
    assert SceneMix(1.)(clips, targets)[1].scene is None
    with pytest.raises(ValueError, match='FAMEMasks'):
        SceneMix(1.)(clips, ClipTargets(targets.action))
    with pytest.raises(ValueError, match=r'ratio must lie in \[0, 1\], got 1.5'):
        SceneMix(1.5)
    with pytest.raises(ValueError, match="'clip' or 'frame', got 'pair'"):
        SceneMix(mask='pair')


def test_background_erasing_parity(golden, parity):
    arrays = np.load(golden / 'be' / 'background_erasing.npz', allow_pickle=False)
    clips = torch.from_numpy(arrays['clip'])
    weight = torch.full((len(clips), ), 0.3 * float(arrays['uniform_draw']))
    frame = torch.from_numpy(arrays['frame_index'])
    output = erase_background(clips, frame, weight)
    parity('fingerrec_v2', output, arrays['fingerrec_v2'], 1e-6)
    # the re-implementation that mixes some clips only puts those first; ours keeps the order
    mixed = torch.from_numpy(arrays['stillmix_keep_draw'] < 0.5)
    order = arrays['rand_keep_order_prob50']
    output = erase_background(clips, frame, weight * mixed)
    parity('stillmix_prob50', output[order], arrays['stillmix_prob50'], 1e-6)


def moving(batch: int = 64) -> torch.Tensor:
    """Clips whose frame t has value t / T everywhere."""
    return torch.linspace(0, 1, 5).view(1, 1, 5, 1, 1).expand(batch, 3, 5, 2, 2).clone()


def test_background_erasing_draws():
    clips, targets = moving(), ClipTargets(torch.arange(64))
    output, result = BackgroundErasing(0.3, 0.5)(clips, targets)
    assert result is targets
    contrast = output[:, 0, -1, 0, 0] - output[:, 0, 0, 0, 0]  # 1 - lambda
    assert contrast.min() >= 0.7 - 1e-6
    assert 0.25 < (contrast < 1 - 1e-6).float().mean() < 0.75
    assert contrast.unique().numel() > 10  # a weight for each clip
    ghosts = output[contrast < 0.9, 0, 0, 0, 0] / (1 - contrast[contrast < 0.9])
    assert (ghosts * 4).round().unique().numel() > 2  # not always the same frame
    assert torch.equal(BackgroundErasing(0.3, 0.)(clips, targets)[0], clips)
    torch.testing.assert_close(BackgroundErasing(0., 1.)(clips, targets)[0], clips)


def test_one_weight_for_the_batch():
    output, _ = BackgroundErasing(0.3, 1., weight_per_clip=False)(moving(), ClipTargets(None))
    contrast = output[:, 0, -1, 0, 0] - output[:, 0, 0, 0, 0]
    torch.testing.assert_close(contrast, contrast[:1].expand(64))
    assert contrast[0] < 1


def test_background_erasing_is_seeded():
    results = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        results.append(BackgroundErasing()(moving(), ClipTargets(None))[0])
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])
    with pytest.raises(ValueError, match=r'\[0, 1\], got 0.3 and 2'):
        BackgroundErasing(ratio=2)


def test_background_erasing_draws_from_all_frames_whatever_the_channels():
    clip = torch.zeros(200, 3, 8, 1, 1)
    clip[:] = torch.arange(8.).view(8, 1, 1)
    output, _ = BackgroundErasing(max_weight=1., ratio=1.)(clip, ClipTargets(None))
    # the difference between frames says the weight, and the first frame then says which
    weight = 1 - (output[:, 0, 1] - output[:, 0, 0])
    frame = (output[:, 0, 0] / weight).round().flatten()
    assert sorted(frame.unique().tolist()) == list(range(8))


@pytest.mark.parametrize('options', [
    dict(max_weight=-0.1), dict(max_weight=1.1), dict(ratio=-0.1), dict(ratio=1.1)])
def test_background_erasing_refuses_what_is_no_share(options):
    with pytest.raises(ValueError, match=r'\[0, 1\]'):
        BackgroundErasing(**options)
