"""Shifted clips, views, flow, units of frames and label subsets."""
import numpy as np
import pytest
import torch
from mmaction.registry import TRANSFORMS

from devias_mm.datasets.flow import backward_flow
from devias_mm.datasets.label_subset import balanced_subset


def shifted(total, shift_range, clip_len=4, interval=2, start=0):
    sampler = TRANSFORMS.build(dict(
        type='TemporalShiftFrames', clip_len=clip_len, frame_interval=interval,
        shift_range=shift_range))
    results = sampler(dict(total_frames=total, start_index=start, modality='RGB'))
    assert results['num_clips'] == 2
    return results['frame_inds'].reshape(2, clip_len)


def test_shift_counts_frames_and_loops():
    first, second = shifted(8, (3, 3))
    assert first.tolist() == [0, 2, 4, 6]
    assert second.tolist() == [3, 5, 7, 1]  # 9 -> 1: from the beginning again
    first, second = shifted(8, (3, 3), start=1)
    assert first.tolist() == [1, 3, 5, 7]
    assert second.tolist() == [4, 6, 8, 2]


def test_shift_is_drawn_from_the_whole_range():
    np.random.seed(0)
    found = {int((second - first)[0]) % 100 for first, second in
             (shifted(100, (2, 5)) for _ in range(80))}
    assert found == {2, 3, 4, 5}
    first, second = shifted(100, (0, 0))
    assert (first == second).all()


def test_any_other_start_that_is_far_enough():
    """An open range: at least 4 frames away, forwards and backwards around the loop."""
    np.random.seed(0)
    found = {int((second - first)[0]) % 12 for first, second in
             (shifted(12, (4, None)) for _ in range(80))}
    assert found == {4, 5, 6, 7, 8}
    first, second = shifted(5, (4, None))  # too short
    assert int((second - first)[0]) % 5 == 4


def test_the_seed_decides_about_the_shift():
    found = []
    for seed in (1, 1, 2):
        np.random.seed(seed)
        found.append(np.stack([shifted(100, (2, 20)) for _ in range(5)]))
    assert (found[0] == found[1]).all() and (found[0] != found[2]).any()


def test_bad_shifts():
    for bad in ((5, 2), (-1, 3)):
        with pytest.raises(ValueError, match='shift_range'):
            shifted(8, bad)


def test_views_take_their_clips_and_their_own_crops():
    frames = [np.full((8, 10, 3), t, dtype=np.uint8) for t in range(6)]  # clips 0-2 and 3-5
    frames = [frame + np.arange(10, dtype=np.uint8)[None, :, None] * 10 for frame in frames]
    transform = TRANSFORMS.build(dict(
        type='ContrastiveViews', clips=(0, 0, 1),
        views=[[], [dict(type='Flip', flip_ratio=1.)], []]))
    results = transform(dict(imgs=list(frames), clip_len=3, num_clips=2, img_shape=(8, 10),
                             modality='RGB'))
    assert results['num_clips'] == 3
    views = np.array(results['imgs']).reshape(3, 3, 8, 10, 3)
    assert (views[0] == frames[:3]).all()
    assert (views[1] == np.array(frames[:3])[:, :, ::-1]).all()
    assert (views[2] == frames[3:]).all()
    with pytest.raises(ValueError, match='clip 1 is asked for'):
        transform(dict(imgs=frames[:3], clip_len=3, num_clips=1, img_shape=(8, 10)))
    with pytest.raises(ValueError, match='3 views'):
        TRANSFORMS.build(dict(type='ContrastiveViews', views=[[], [], []], clips=(0, 0)))


def textured_clip(step, frames=3, size=64):
    """A textured square that walks to the right over a textured ground."""
    rng = np.random.default_rng(0)
    ground, square = rng.integers(0, 255, (2, size, size, 3)).astype(np.float32)
    import cv2
    ground, square = (cv2.GaussianBlur(image, (0, 0), 2) for image in (ground, square))
    clip = []
    for t in range(frames):
        frame = ground.copy()
        left = 16 + step * t
        frame[16:48, left:left + 28] = square[16:48, :28]
        clip.append(frame.astype(np.uint8))
    return clip


def test_flow_is_backward_and_in_pixels():
    """V points from frame t + 1 to where the pixel was: to the left, for what walks right."""
    clip = textured_clip(step=2)
    flow = backward_flow(clip)
    assert flow.shape == (2, 2, 64, 64)
    inside = flow[:, 0, 24:40, 24:38]
    assert np.median(inside[0]) == pytest.approx(-2, abs=.3)
    assert np.median(inside[1]) == pytest.approx(0, abs=.3)
    assert np.abs(np.median(flow[:, 0, :8, :8])) < .3  # the ground stays


def test_estimated_flow_and_motion_scaling_fit_together():
    """Warping by the estimated flow, phi = 1, comes closer to the true next frame than no warp."""
    from devias_mm.augments.motion_scaling import scale_motion
    clip = textured_clip(step=3)
    transform = TRANSFORMS.build(dict(type='BackwardFlow', view=0))
    flow = transform(dict(imgs=clip, clip_len=3, num_clips=1))['flow']
    assert flow.dtype == torch.float16
    video = torch.from_numpy(np.array(clip)).permute(3, 0, 1, 2)[None] / 255.
    middle = (slice(None), slice(None), slice(1, None), slice(18, 46), slice(26, 40))
    errors = [float((scale_motion(video, flow[None], torch.full((1, 2), phi)) - video)[
        middle].abs().mean()) for phi in (1., 0., 2.)]
    assert errors[0] < .3 * min(errors[1:])


def test_flow_of_a_missing_view():
    transform = TRANSFORMS.build(dict(type='BackwardFlow', view=2))
    with pytest.raises(ValueError, match='view 2'):
        transform(dict(imgs=textured_clip(2), clip_len=3, num_clips=1))
    with pytest.raises(ValueError, match="'slow'"):
        TRANSFORMS.build(dict(type='BackwardFlow', preset='slow'))


@pytest.mark.parametrize('total, clips, last', [(50, 3, 47), (16, 1, 15), (33, 2, 31)])
def test_units_of_frames(total, clips, last):
    results = TRANSFORMS.build(dict(type='ConsecutiveClips', clip_len=16))(
        dict(total_frames=total, start_index=0))
    assert results['num_clips'] == clips
    assert results['frame_inds'].tolist() == list(range(last + 1))


def test_units_of_a_short_video_and_with_an_interval():
    short = TRANSFORMS.build(dict(type='ConsecutiveClips', clip_len=4))(
        dict(total_frames=3, start_index=1))
    assert short['frame_inds'].tolist() == [1, 2, 3, 1]
    spaced = TRANSFORMS.build(dict(
        type='ConsecutiveClips', clip_len=2, frame_interval=2))(
            dict(total_frames=10, start_index=0))
    assert spaced['frame_inds'].tolist() == [0, 2, 4, 6]


def test_subset_is_balanced_seeded_and_nested():
    labels = np.random.default_rng(1).permutation([0] * 300 + [1] * 100 + [2] * 200)
    tenth = balanced_subset(labels, .1, seed=0)
    assert np.bincount(labels[tenth]).tolist() == [20, 20, 20]
    assert tenth == sorted(set(tenth))
    assert tenth == balanced_subset(labels, .1, seed=0)
    assert tenth != balanced_subset(labels, .1, seed=1)
    hundredth = balanced_subset(labels, .01, seed=0)
    assert np.bincount(labels[hundredth]).tolist() == [2, 2, 2]
    assert set(hundredth) < set(tenth)
    # a class that has too few gives all; each class gives at least one
    assert np.bincount(labels[balanced_subset(labels, 1., 0)]).tolist() == [200, 100, 200]
    assert len(balanced_subset(labels, 1e-6, 0)) == 3
    with pytest.raises(ValueError, match='fraction'):
        balanced_subset(labels, 10, 0)


def test_consecutive_clips_may_be_single_frames():
    transform = TRANSFORMS.build(dict(type='ConsecutiveClips', clip_len=1, frame_interval=1))
    results = transform(dict(total_frames=2, start_index=2))
    assert results['frame_inds'].tolist() == [2, 3] and results['num_clips'] == 2
    for bad in (dict(clip_len=0), dict(frame_interval=0)):
        with pytest.raises(ValueError, match='at least 1'):
            TRANSFORMS.build(dict(dict(type='ConsecutiveClips'), **bad))
