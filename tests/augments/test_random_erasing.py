"""Random erasing: one box of a clip in all its frames, and in its masks."""
import pytest
import torch

from devias_mm.augments import RandomErasing
from devias_mm.structures import ClipTargets


def erase(erasing, batch: int = 64, size=(12, 20)):
    """Erase clips of value 2, which no noise has; also what was erased, ``(B, T, H, W)``."""
    clips = torch.full((batch, 3, 4, *size), 2.)
    masks = torch.ones(batch, 2, *size)
    targets = ClipTargets(torch.arange(batch), torch.arange(batch), masks, masks[:, 0])
    output, result = erasing(clips, targets)
    assert (clips == 2).all()
    changed = output != 2
    assert torch.equal(changed, changed[:, :1].expand_as(changed))  # all channels
    return output, result, changed[:, 0]


def test_one_box_of_noise_in_all_frames():
    output, result, erased = erase(RandomErasing(1.))
    assert torch.equal(erased, erased[:, :1].expand_as(erased))
    box = erased[:, 0]
    rows, columns = box.any(2), box.any(1)
    assert torch.equal(box, rows[:, :, None] & columns[:, None])
    assert (rows.int().diff(dim=1).abs().sum(1) <= 2).all()
    assert (columns.int().diff(dim=1).abs().sum(1) <= 2).all()
    assert box.any((1, 2)).all()
    noise = output[output != 2]
    assert noise.min() >= 0 and noise.max() <= 1
    assert abs(noise.mean() - 0.5) < 0.02
    channels = output.movedim(1, -1)[erased]  # (pixels, 3)
    assert (channels[:, 0] != channels[:, 1]).float().mean() > 0.9  # each channel has its own
    # labels stay, masks do not show what is hidden
    assert torch.equal(result.action, torch.arange(64))
    assert torch.equal(result.scene, torch.arange(64))
    assert torch.equal(result.masks, (~erased[:, :2]).float())
    assert torch.equal(result.clip_mask, (~box).float())


def test_area_and_aspect():
    _, _, erased = erase(RandomErasing(1., (0.2, 0.3), (0.5, 0.5)), 200, (40, 40))
    box = erased[:, 0]
    area, height, width = box.float().mean((1, 2)), box.any(2).sum(1), box.any(1).sum(1)
    assert area.min() > 0.17 and area.max() < 0.33
    assert area.std() > 0.01
    torch.testing.assert_close(height / width, torch.full((200, ), 0.5), atol=0.06, rtol=0.)
    assert box.any((0, 1)).all() and box.any((0, 2)).all()  # anywhere


def test_share_seed_and_missing_masks():
    torch.manual_seed(0)
    _, _, erased = erase(RandomErasing(0.25), 400)
    assert abs(erased.any((1, 2, 3)).float().mean() - 0.25) < 0.06
    output, result = RandomErasing(0.)(torch.full((2, 3, 2, 8, 8), 2.), ClipTargets(None))
    assert (output == 2).all() and result.masks is None and result.clip_mask is None
    results = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        results.append(erase(RandomErasing())[0])
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


@pytest.mark.parametrize('options, message', [
    (dict(prob=1.5), r'prob must lie in \[0, 1\], got 1.5'),
    (dict(area_range=(0.5, 0.2)), 'area_range'), (dict(aspect_range=(0, 1)), 'aspect_range')])
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        RandomErasing(**options)


def test_boxes_of_the_paper_by_default():
    """Areas of 0.02 to 1/3 and aspects of 0.3 to 1/0.3."""
    _, _, erased = erase(RandomErasing(1.), 600, (48, 48))
    box = erased[:, 0]
    area, aspect = box.float().mean((1, 2)), box.any(2).sum(1) / box.any(1).sum(1)
    inside = (area > 0.05) & (area < 0.25)  # neither rounded nor cut off at the border
    assert 0.015 < area.min() < 0.04 and 0.3 < area.max() < 0.36
    assert 0.27 < aspect[inside].min() < 0.36 and 2.8 < aspect[inside].max() < 3.7
    for prob in (-0.1, 1.1):
        with pytest.raises(ValueError, match='prob'):
            RandomErasing(prob)
