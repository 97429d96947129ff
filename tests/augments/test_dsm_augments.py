"""DSM's disturbances: what they move, what they leave alone, and in which direction."""
import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample

from devias_mm.augments.contrastive import FlowTargets, PerView
from devias_mm.augments.motion_scaling import MotionScaling, scale_motion
from devias_mm.augments.spatial_warp import SpatialWarp, spline_basis, warp_clips
from devias_mm.structures import ClipTargets

SIZE = 32


def square_clip(step: int = 2, frames: int = 4) -> torch.Tensor:
    """A bright square that walks to the right by ``step`` pixels a frame, (1, 1, T, H, W)."""
    clip = torch.zeros(1, 1, frames, SIZE, SIZE)
    for t in range(frames):
        clip[..., t, 12:18, 8 + step * t:14 + step * t] = 1
    return clip


def uniform_flow(clip: torch.Tensor, step: int) -> torch.Tensor:
    """Backward flow of a clip that moves to the right as a whole."""
    flow = torch.zeros(len(clip), 2, clip.shape[2] - 1, SIZE, SIZE)
    flow[:, 0] = -step
    return flow


def column(frame: torch.Tensor) -> float:
    """Centre of mass along x."""
    weight = frame.sum(tuple(range(frame.dim() - 1)))
    return float((weight * torch.arange(SIZE)).sum() / weight.sum())


def targets(clips, flow=None) -> FlowTargets:
    return FlowTargets(action=torch.zeros(len(clips), dtype=torch.long), flow=flow)


def test_warp_is_the_same_in_all_frames_and_not_in_all_clips():
    still = torch.rand(1, 3, 1, SIZE, SIZE).expand(2, 3, 5, SIZE, SIZE)
    warped, _ = SpatialWarp(strength=0.2)(still, targets(still))
    assert warped.shape == still.shape
    for t in range(1, 5):
        assert torch.equal(warped[:, :, t], warped[:, :, 0])
    assert not torch.allclose(warped[0], warped[1])
    assert not torch.allclose(warped, still, atol=0.1)


def test_strength_zero_is_identity():
    clips = torch.rand(2, 3, 4, 24, SIZE)
    warped, same = SpatialWarp(strength=0.)(clips, targets(clips))
    assert torch.allclose(warped, clips, atol=1e-5)
    assert same.action.tolist() == [0, 0]


def test_offset_moves_where_the_output_reads_from():
    """s_i = d_i + offset: reading to the right of itself, the picture moves to the left."""
    clip = square_clip(step=0)
    offsets = torch.zeros(1, 25, 2)
    offsets[..., 0] = 4 / SIZE
    moved = warp_clips(clip, offsets)
    assert torch.allclose(moved[..., :-4], clip[..., 4:], atol=1e-4)
    # one control point alone moves its neighbourhood, not the far corner
    offsets = torch.zeros(1, 25, 2)
    offsets[0, 12, 1] = 0.1
    ramp = torch.arange(SIZE, dtype=torch.float32)[:, None].expand(1, 1, 1, SIZE, SIZE)
    difference = warp_clips(ramp, offsets) - ramp
    assert difference[..., 15:17, 15:17].mean() == pytest.approx(0.1 * SIZE, rel=0.1)
    assert difference[..., 2:4, 2:4].abs().max() < 0.2


def test_spline_agrees_with_the_textbook():
    """Kernel r^2 log r, an affine part, and weights orthogonal to affine functions."""
    points, size = 3, 8
    pixels, basis = spline_basis(points, size, size, torch.device('cpu'))
    axis = np.linspace(-1, 1, points)
    centres = np.array([(x, y) for y in axis for x in axis])

    def kernel(a, b):
        square = ((a[:, None] - b[None])**2).sum(-1)
        return 0.5 * square * np.log(np.where(square > 0, square, 1))

    affine = np.hstack([np.ones((9, 1)), centres])
    system = np.block([[kernel(centres, centres), affine], [affine.T, np.zeros((3, 3))]])
    values = np.random.default_rng(0).normal(size=9)
    weights = np.linalg.solve(system, np.concatenate([values, np.zeros(3)]))
    places = pixels.numpy().astype(float)
    expected = kernel(places, centres) @ weights[:9] + weights[9] + places @ weights[10:]
    assert np.allclose(basis.numpy() @ values, expected, atol=1e-5)
    assert pixels[:2].tolist() == [[-0.875, -0.875], [-0.625, -0.875]]  # x runs first


def test_offsets_stay_within_the_strength(monkeypatch):
    seen = []
    monkeypatch.setattr('devias_mm.augments.spatial_warp.warp_clips',
                        lambda clips, offsets: seen.append(offsets) or clips)
    clips = torch.zeros(64, 1, 1, 8, 8)
    SpatialWarp(strength=0.1)(clips, targets(clips))
    assert -0.1 <= seen[0].min() < -0.099
    assert 0.099 < seen[0].max() <= 0.1
    assert seen[0].shape == (64, 25, 2)


def test_phi_one_gives_the_clip_back():
    clip = square_clip()
    same = scale_motion(clip, uniform_flow(clip, 2), torch.ones(1, 3))
    assert torch.allclose(same, clip, atol=1e-5)


@pytest.mark.parametrize('phi', [0., 0.5, 2., 3.])
def test_displacement_scales_with_phi(phi):
    """Frame t + 1 of the output is frame t of the input, moved by phi times the velocity."""
    clip = square_clip(step=2)
    scaled = scale_motion(clip, uniform_flow(clip, 2), torch.full((1, 3), phi))
    assert torch.equal(scaled[:, :, 0], clip[:, :, 0])
    for t in range(3):
        moved = column(scaled[0, 0, t + 1]) - column(clip[0, 0, t])
        assert moved == pytest.approx(2 * phi, abs=1e-3)


def test_phi_zero_freezes():
    clip = square_clip()
    pause = scale_motion(clip, uniform_flow(clip, 2), torch.zeros(1, 3))
    assert torch.allclose(pause[:, :, 1:], clip[:, :, :-1], atol=1e-5)


def test_phi_belongs_to_its_clip_and_its_frame():
    clips = square_clip().expand(2, 1, 4, SIZE, SIZE)
    phi = torch.tensor([[0., 1., 2.], [2., 0., 1.]])
    scaled = scale_motion(clips, uniform_flow(clips, 2), phi)
    for row in range(2):
        for t in range(3):
            moved = column(scaled[row, 0, t + 1]) - column(clips[row, 0, t])
            assert moved == pytest.approx(2 * float(phi[row, t]), abs=1e-3)


def test_vertical_flow_is_the_second_channel():
    clip = square_clip(step=0)
    flow = torch.zeros(1, 2, 3, SIZE, SIZE)
    flow[:, 1] = -3
    moved = scale_motion(clip, flow, torch.ones(1, 3))[0, 0, 1]
    assert torch.allclose(moved[3:], clip[0, 0, 0, :-3], atol=1e-5)
    assert moved[:3].abs().max() == 0  # from outside the frame: black


def test_flow_in_both_axes_of_a_frame_that_is_no_square():
    """I'(x, y, t + 1) = I(x + V_x, y + V_y, t), pixel by pixel."""
    torch.manual_seed(0)
    clip = torch.rand(1, 2, 2, 6, 11)
    flow = torch.zeros(1, 2, 1, 6, 11)
    flow[:, 0], flow[:, 1] = 2, -1
    moved = scale_motion(clip, flow, torch.ones(1, 1))[0, :, 1]
    for y in range(6):
        for x in range(11):
            inside = y >= 1 and x + 2 < 11
            expected = clip[0, :, 0, y - 1, x + 2] if inside else torch.zeros(2)
            torch.testing.assert_close(moved[:, y, x], expected, atol=1e-5, rtol=0)


def test_phi_is_drawn_up_to_the_maximum(monkeypatch):
    seen = []
    monkeypatch.setattr('devias_mm.augments.motion_scaling.scale_motion',
                        lambda clips, flow, phi, *args: seen.append(phi) or clips)
    clips = square_clip(frames=9).expand(64, 1, 9, SIZE, SIZE)
    MotionScaling()(clips, targets(clips, uniform_flow(clips, 2)))
    assert 0 <= seen[0].min() < 0.2
    assert 4.8 < seen[0].max() <= 5
    assert seen[0].shape == (64, 8)


@pytest.mark.parametrize('augment', [SpatialWarp(), MotionScaling()])
def test_the_seed_decides(augment):
    clips = square_clip().expand(2, 1, 4, SIZE, SIZE)
    results = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        results.append(augment(clips, targets(clips, uniform_flow(clips, 2)))[0])
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


def test_what_is_wrong_is_said():
    clips = square_clip()
    with pytest.raises(ValueError, match='BackwardFlow'):
        MotionScaling()(clips, ClipTargets(action=torch.zeros(1)))
    with pytest.raises(ValueError, match='does not fit'):
        MotionScaling()(clips, targets(clips, uniform_flow(clips, 2)[:, :, :1]))
    with pytest.raises(ValueError, match='got -1'):
        MotionScaling(maximum=-1)
    with pytest.raises(ValueError, match='strength'):
        SpatialWarp(strength=0.7)


@MODELS.register_module()
class AddToView(torch.nn.Module):
    """Adds a number; for this test."""

    def __init__(self, value):
        super().__init__()
        self.value = value

    def forward(self, clips, targets):
        assert len(clips) == len(targets.action) == len(targets.flow)
        assert torch.equal(targets.action.float(), targets.flow[:, 0, 0, 0, 0].float())
        return clips + self.value * targets.action.view(-1, 1, 1, 1, 1), targets


def view_batch(views: int) -> dict:
    samples = []
    for label in (1, 2):
        sample = ActionDataSample(metainfo=dict(video_id=str(label)))
        sample.set_gt_label(label)
        sample.set_field(torch.full((2, 3, 8, 8), float(label), dtype=torch.float16), 'flow')
        samples.append(sample)
    clip = torch.arange(0, 51 * views, 51, dtype=torch.uint8).view(views, 1, 1, 1, 1)
    return dict(inputs=[clip.expand(views, 3, 4, 8, 8)] * 2, data_samples=samples)


def test_each_view_gets_its_own_augmentations_and_its_samples_flow():
    preprocessor = MODELS.build(dict(
        type='ContrastiveDataPreprocessor',
        views=[[], [dict(type='AddToView', value=0.1)], [dict(type='AddToView', value=0.2)]]))
    result = preprocessor(view_batch(3), training=True)
    level = result['inputs'][:, :, 0, 0, 0, 0] / 255
    assert torch.allclose(level, torch.tensor([[0., 0.3, 0.6], [0., 0.4, 0.8]]), atol=1e-6)
    assert result['targets'].flow.shape == (6, 2, 3, 8, 8)
    tested = preprocessor(view_batch(1))  # nothing is augmented in a test
    assert tested['inputs'].abs().max() == 0


def test_number_of_views_has_to_agree():
    preprocessor = MODELS.build(dict(type='ContrastiveDataPreprocessor', views=[[], []]))
    with pytest.raises(ValueError, match='gives 3 view'):
        preprocessor(view_batch(3), training=True)


def test_flow_is_in_pixels_of_a_frame_that_is_not_square():
    clip = torch.rand(1, 1, 2, 6, 11)
    flow = torch.tensor([3., -2.]).view(1, 2, 1, 1, 1).expand(1, 2, 1, 6, 11)  # x, then y
    moved = scale_motion(clip, flow, torch.ones(1, 1))[0, 0, 1]
    assert torch.allclose(moved[2:, :-3], clip[0, 0, 0, :-2, 3:], atol=1e-5)
    assert moved[:2].abs().max() < 1e-5 and moved[:, -3:].abs().max() < 1e-5


def test_each_view_gets_its_own_masks():
    seen = []

    class Note(torch.nn.Module):
        def forward(self, clips, targets):
            seen.append(targets.masks.flatten().tolist())
            return clips, targets

    augment = PerView([[], []])
    augment.views = torch.nn.ModuleList([torch.nn.ModuleList([Note()]) for _ in range(2)])
    masks = torch.arange(6.).view(6, 1, 1, 1)  # views of a sample in a row
    augment(torch.zeros(6, 3, 2, 4, 4), ClipTargets(torch.arange(6), masks=masks))
    assert seen == [[0, 2, 4], [1, 3, 5]]
