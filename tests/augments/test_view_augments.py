"""Rotation and local shifts of whole clips: on numbers, and the same in all frames."""
import pytest
import torch

from devias_mm.augments import ClipColorJitter, LocalShifts, RandomRotation
from devias_mm.augments.local_shifts import shift_locally
from devias_mm.structures import ClipTargets

TARGETS = ClipTargets(torch.zeros(2, dtype=torch.long))


def ramp(batch: int = 1, frames: int = 2, height: int = 40, width: int = 60) -> torch.Tensor:
    """Channel 0 is the x of a pixel's centre, channel 1 its y, as shares of the frame."""
    x = ((torch.arange(width) + 0.5) / width).expand(height, width)
    y = ((torch.arange(height) + 0.5) / height)[:, None].expand(height, width)
    clip = torch.stack([x, y, torch.zeros_like(x)])[:, None]
    return clip.expand(batch, 3, frames, height, width).clone()


def test_a_local_shift_on_numbers():
    centre, offset = torch.tensor([[[0.5, 0.5]]]), torch.tensor([[[0.1, -0.05]]])
    clips = ramp()
    moved = shift_locally(clips, centre, offset, radius=0.3)
    # what was at the centre is shown at centre + offset ... seen from the pixel: p - w offset
    for row, column in ((20, 30), (14, 33), (25, 26), (20, 45), (3, 3)):
        x, y = (column + 0.5) / 60, (row + 0.5) / 40
        weight = max(1 - ((x - 0.5)**2 + (y - 0.5)**2) / 0.3**2, 0)**2
        expected = [x - weight * 0.1, y + weight * 0.05]
        assert moved[0, :2, 0, row, column].tolist() == pytest.approx(expected, abs=1e-4)
    assert torch.equal(moved[:, :, 0], moved[:, :, 1])
    torch.testing.assert_close(moved[..., :10, :10], clips[..., :10, :10])


def test_one_to_three_shifts_a_clip(monkeypatch):
    seen = []

    def record(clips, centres, offsets, radius):
        seen.append((offsets != 0).any(-1).sum(1))
        return clips

    monkeypatch.setattr('devias_mm.augments.local_shifts.shift_locally', record)
    for _ in range(50):
        LocalShifts()(ramp(2), TARGETS)
    counts = torch.cat(seen)
    assert set(counts.tolist()) == {1, 2, 3}


def test_local_shifts_differ_between_clips_and_leave_targets():
    torch.manual_seed(0)
    clips = ramp(2)
    moved, targets = LocalShifts()(clips, TARGETS)
    assert targets is TARGETS
    assert not torch.allclose(moved[0], moved[1])
    torch.testing.assert_close(LocalShifts(strength=0.)(clips, TARGETS)[0], clips)
    for bad in (dict(maximum=0), dict(strength=0.6), dict(radius=0.)):
        with pytest.raises(ValueError, match='LocalShifts: maximum must be at least 1'):
            LocalShifts(**bad)


def test_rotation_by_a_known_angle(monkeypatch):
    monkeypatch.setattr(torch, 'rand', lambda *size, **kwargs: torch.ones(*size))
    clip = torch.zeros(1, 1, 2, 21, 21)
    clip[..., 10, 15] = 1.  # right of the centre
    rotated = RandomRotation(degrees=90)(clip, TARGETS)[0]
    assert rotated[0, 0, 0].argmax() == 5 * 21 + 10  # anticlockwise: above it
    assert torch.equal(rotated[:, :, 0], rotated[:, :, 1])


def test_rotations_stay_in_their_range():
    torch.manual_seed(0)
    clips = torch.zeros(200, 1, 1, 41, 41)
    clips[..., 20, 38] = 1.
    rotated = RandomRotation(degrees=10)(clips, TARGETS)[0][:, 0, 0]
    rows = rotated.sum(2).argmax(1) - 20
    # 18 sin(10 degrees) = 3.1
    assert rows.min() == -3 and rows.max() == 3
    assert len(set(rows.tolist())) == 7
    torch.testing.assert_close(RandomRotation(0)(clips, TARGETS)[0], clips, atol=1e-4, rtol=0)


def test_jitter_is_the_same_in_all_frames_and_differs_between_clips():
    torch.manual_seed(0)
    frame = torch.rand(3, 8, 8)
    clips = frame[None, :, None].expand(4, 3, 5, 8, 8)
    jitter = ClipColorJitter(brightness=0.5, contrast=0.5, saturation=0.25, hue=0.5)
    output, targets = jitter(clips, TARGETS)
    assert targets is TARGETS
    assert output.shape == clips.shape and output.min() >= 0 and output.max() <= 1
    torch.testing.assert_close(output[:, :, 1:], output[:, :, :1].expand(4, 3, 4, 8, 8))
    assert all((output[i] - output[0]).abs().max() > 0.02 for i in range(1, 4))


def test_jitter_of_one_kind():
    torch.manual_seed(0)
    clips = 0.2 + 0.3 * torch.rand(6, 3, 2, 8, 8)
    bright = ClipColorJitter(brightness=0.5)(clips, TARGETS)[0] / clips
    factors = bright.mean((1, 2, 3, 4))
    torch.testing.assert_close(bright, factors.view(-1, 1, 1, 1, 1).expand_as(bright))
    assert ((factors > 0.5) & (factors < 1.5)).all() and factors.std() > 0.05
    hue = ClipColorJitter(hue=0.5)(clips, TARGETS)[0]  # moves hue alone: the value stays
    torch.testing.assert_close(hue.amax(1), clips.amax(1), atol=1e-4, rtol=1e-4)
    assert (hue - clips).abs().max() > 0.05


def test_rotation_refuses_what_it_would_spoil():
    with pytest.raises(ValueError, match='does not rotate foreground masks'):
        RandomRotation()(ramp(2), ClipTargets(TARGETS.action, masks=torch.ones(2, 1, 40, 60)))
    with pytest.raises(ValueError, match=r'degrees must be in \[0, 180\], got -1'):
        RandomRotation(-1)
