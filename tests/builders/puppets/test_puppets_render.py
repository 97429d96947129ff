"""Poses and pixels."""
import dataclasses

import cv2
import numpy as np
import pytest

from devias_mm.builders.puppets import (
    ACTIONS,
    PRESETS,
    SCENES,
    TEXTURES,
    Clip,
    Puppet,
    paint_scene,
    pose,
    render_background,
    render_clips,
)

TINY = PRESETS['tiny']


def _rng(seed=0):
    return np.random.default_rng(seed)


def _clip(action=1, backdrop='brick', **kwargs):
    return Clip('seen', 3, action, backdrop, **kwargs)


def _grown(masks, pixels):
    """Masks dilated (positive) or eroded (negative) by some pixels."""
    change = cv2.dilate if pixels > 0 else cv2.erode
    kernel = np.ones((2 * abs(pixels) + 1, ) * 2, np.uint8)
    return np.stack([change(mask.astype(np.uint8), kernel) for mask in masks]).astype(bool)


@pytest.mark.parametrize('action', ACTIONS)
def test_poses_repeat_every_cycle_and_move(action):
    moments = np.linspace(0, 1, 8, endpoint=False)
    angles = [np.ravel([*pose(action, t).arms, *pose(action, t).legs]) for t in moments]
    tilts = [pose(action, t).tilt for t in moments]
    assert np.ptp(angles, axis=0).max() > .5 or np.ptp(tilts) > .5
    for t, angle in zip(moments, angles):
        again = pose(action, t + 2)
        np.testing.assert_allclose(np.ravel([*again.arms, *again.legs]), angle, atol=1e-9)


def test_poses_show_their_action():
    assert pose('jack', .5).arms[1][0] > 2 > .5 > pose('jack', 0).arms[1][0] > 0
    assert pose('jack', .5).arms[0][0] == -pose('jack', .5).arms[1][0]
    assert pose('wave', .1, side=1).arms[1][0] > 2 and pose('wave', .1, side=0).arms[0][0] < -2
    assert pose('squat', .5).legs[1][0] > 1 and pose('squat', .5).legs[1][1] < 0
    assert pose('kick', .5, side=1).legs[1][0] > 1.5 and pose('kick', .5, side=0).legs[0][0] < -1.5
    assert pose('kick', .5, side=1).tilt < 0 < pose('kick', .5, side=0).tilt  # leans away
    assert pose('punch', .25, side=1).arms[0][0] > pose('punch', .25, side=1).arms[1][0]
    assert pose('bow', .5, side=1).tilt > 1 and pose('bow', .5, side=0).tilt < -1
    assert pose('jump', .25).lift > .15 and pose('jump', .75).lift < 0
    walk = pose('walk', .25)
    assert walk.legs[0][0] * walk.legs[1][0] < 0 and walk.arms[0][0] * walk.legs[0][0] < 0


def test_jumping_figure_leaves_the_ground():
    def lowest(action):
        coverage = Puppet(_rng(4), 64).perform(action, 16)[1] > 127
        rows = [np.flatnonzero(mask.any(1)).max() for mask in coverage]
        return np.ptp(rows)

    assert lowest('jump') >= 5 > 2 >= lowest('squat')


@pytest.mark.parametrize('action', range(8))
def test_mask_is_where_figure_and_background_differ(action):
    for seed in range(3):
        frames, masks, background = render_clips([_clip(action)], TINY, seed)[0]
        assert frames.shape == background.shape == (16, 64, 64, 3)
        assert masks.shape == (16, 64, 64) and masks.dtype == bool
        assert .04 < masks.mean() < .4
        differs = (frames != background).any(-1)
        assert not (differs & ~_grown(masks, 1)).any()
        assert differs[masks].mean() > .98
        assert (masks[1:] != masks[:-1]).any((1, 2)).all()  # the figure moves in every frame


def test_versions_of_a_clip_share_the_figure():
    own, other = render_clips(
        [_clip(1, 'brick'), _clip(1, 'sky', swapped=True)], TINY, seed=0)
    np.testing.assert_array_equal(own.masks, other.masks)
    inside = _grown(own.masks, -1)
    # coverage may be partial inside as well, where two limbs leave a notch
    assert (own.frames[inside] == other.frames[inside]).mean() > .98
    assert (own.background != other.background).mean() > .9


def test_the_two_backgrounds_of_a_clip_are_drawn_independently():
    own, again = render_clips([_clip(), _clip(swapped=True)], TINY, seed=0)
    assert (own.background != again.background).mean() > .5


def test_clip_is_the_same_alone_and_beside_its_other_version():
    swapped = _clip(1, 'sky', swapped=True)
    alone, = render_clips([swapped], TINY, seed=0)
    together = render_clips([_clip(1, 'brick'), swapped], TINY, seed=0)[1]
    np.testing.assert_array_equal(alone.frames, together.frames)


def test_scene_only_has_no_figure_and_human_only_is_grey():
    scene, = render_clips([_clip(has_figure=False)], TINY, seed=0)
    np.testing.assert_array_equal(scene.frames, scene.background)
    assert not scene.masks.any()
    human, = render_clips([_clip(backdrop='grey')], TINY, seed=0)
    assert (human.background == 128).all()
    assert human.masks.any() and (human.frames[~_grown(human.masks, 1)] == 128).all()


@pytest.mark.parametrize('backdrop', SCENES + TEXTURES)
def test_backgrounds_drift_a_little(backdrop):
    def luma(frame):
        return frame.mean(-1).astype(np.float32)

    for seed in range(3):
        background = render_background(_rng(seed), backdrop, TINY)
        assert (background[0] != background[-1]).any()
        shift, _ = cv2.phaseCorrelate(luma(background[0]), luma(background[1]))
        assert np.hypot(*shift) < 1
        assert background.std((1, 2)).max() > 5


def test_backgrounds_fill_the_frame():
    for seed in range(8):
        background = render_background(_rng(seed), 'sky', TINY)
        edges = [background[:, 0], background[:, -1], background[:, :, 0], background[:, :, -1]]
        assert min(edge.max(-1).min() for edge in edges) > 80  # a gap would be black


def test_channels_are_rgb():
    def mean(scene):
        looks = [render_background(_rng(seed), scene, TINY) for seed in range(4)]
        return np.mean(looks, (0, 1, 2, 3))

    assert mean('sky')[2] > mean('sky')[0] + 20
    assert mean('brick')[0] > mean('brick')[2] + 20
    assert mean('forest')[1] > max(mean('forest')[[0, 2]]) + 20


def test_families_differ_more_than_looks_within_one():
    means = np.array([[paint_scene(_rng(seed), scene, 70, 64).mean((0, 1)) for seed in range(6)]
                      for scene in SCENES])
    within = means.std(1).mean()
    assert means.mean(1).std(0).mean() > 1.5 * within


def test_jitter_widens_a_family():
    def spread(jitter):
        return np.std([paint_scene(_rng(seed), 'waves', 70, 64, jitter).mean((0, 1))
                       for seed in range(8)], axis=0).mean()

    assert spread(0) < spread(1) < spread(8)


def test_overlap_blends_another_family_in():
    soft = dataclasses.replace(TINY, scene_overlap=1., overlap_weight=.5)
    changed = [np.abs(render_background(_rng(seed), 'brick', soft).astype(float)
                      - render_background(_rng(seed), 'brick', TINY)).mean() for seed in range(6)]
    assert min(changed) > 0 and max(changed) > 10


def test_larger_frames_show_the_same_picture():
    large = dataclasses.replace(TINY, size=128)
    small_clip, = render_clips([_clip()], TINY, seed=0)
    large_clip, = render_clips([_clip()], large, seed=0)
    shrunk = large_clip.masks.reshape(16, 64, 2, 64, 2).mean((2, 4)) > .5
    overlap = (shrunk & small_clip.masks).sum() / (shrunk | small_clip.masks).sum()
    assert overlap > .8  # line widths are rounded to whole pixels
