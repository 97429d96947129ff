"""Optical flow from files: the right pairs, cropped and flipped as the frames are."""
import random

import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import TRANSFORMS

from devias_mm.datasets.flow import backward_flow, read_flow, write_flow

HEIGHT, WIDTH = 48, 80


def sample(frames, indices, clip_len, start_index=0):
    """What ``ReadClip`` hands on."""
    indices = np.asarray(indices)
    return dict(imgs=[frames[i - start_index] for i in indices], frame_inds=indices,
                clip_len=clip_len, num_clips=len(indices) // clip_len, video_id='folder/clip',
                original_shape=frames[0].shape[:2], img_shape=frames[0].shape[:2],
                total_frames=len(frames), start_index=start_index, modality='RGB')


def steps(cache, *view):
    """The view under test is the last of three, and that of the second clip."""
    return [TRANSFORMS.build(dict(type='ContrastiveViews', views=[[], [], view],
                                  clips=(0, 0, 1))),
            TRANSFORMS.build(dict(type='BackwardFlow', view=2, cache=cache and str(cache)))]


def run(transforms, results):
    for transform in transforms:
        results = transform(results)
    return results


def write_ramp(folder, total, stride, grid=(12, 20)):
    """V_x = i + column, V_y = 3 row - i of the grid, of 4 x 4 pixels a cell, in 1 / 256 frames."""
    rows, columns = np.indices(grid)
    flow = np.stack([np.stack([i + columns, 3 * rows - i]) for i in range(total)])
    (folder / 'folder').mkdir()
    np.savez(folder / 'folder/clip.npz', flow=flow.astype(np.int8), stride=stride,
             scale=np.full((total, 2), 1 / 256, dtype=np.float32))


@pytest.mark.parametrize('flips', [(), ('horizontal', ), ('vertical', 'horizontal')])
def test_flow_follows_crop_resize_and_flip(tmp_path, flips):
    write_ramp(tmp_path, total=10, stride=2)
    frames = list(np.zeros((10, HEIGHT, WIDTH, 3), dtype=np.uint8))
    # columns 20 to 59 become 60, rows 12 to 35 become 48
    view = [dict(type='CenterCrop', crop_size=(40, 24)),
            dict(type='Resize', scale=(60, 48), keep_ratio=False),
            *(dict(type='Flip', flip_ratio=1., direction=direction) for direction in flips),
            dict(type='ColorJitter', hue=0.)]
    found = run(steps(tmp_path, *view), sample(frames, [0, 2, 4, 5, 7, 9], 3))['flow']
    assert found.dtype == torch.float16 and found.shape == (2, 2, 48, 60)
    columns = 20 + (np.arange(60) + .5) * 40 / 60 - .5  # in pixels of the frame
    rows = 12 + (np.arange(48) + .5) * 24 / 48 - .5
    columns, rows = (columns + .5) / 4 - .5, (rows + .5) / 4 - .5  # in cells of the grid
    for number, index in enumerate((5, 7)):  # of the second clip
        x = np.tile(index + columns, (48, 1)) / 256 * WIDTH * 60 / 40
        y = np.tile(3 * rows[:, None] - index, (1, 60)) / 256 * HEIGHT * 48 / 24
        if 'horizontal' in flips:
            x, y = -x[:, ::-1], y[:, ::-1]
        if 'vertical' in flips:
            x, y = x[::-1], -y[::-1]
        inside = np.s_[2:-2, 2:-2]  # at the borders a resized frame repeats its last pixels
        np.testing.assert_allclose(found[0, number][inside], x[inside], atol=.02)
        np.testing.assert_allclose(found[1, number][inside], y[inside], atol=.02)


def test_pairs_of_a_looped_clip_and_of_a_segment(tmp_path):
    write_ramp(tmp_path, total=10, stride=3)
    for start in (0, 40):  # a segment that begins at frame 40 has its flow from 0 on
        frames = list(np.zeros((10, HEIGHT, WIDTH, 3), dtype=np.uint8))
        indices = start + np.array([0, 3, 6, 8, 1, 4])
        found = run(steps(tmp_path), sample(frames, indices, 3, start))['flow']
        left = found[0, :, 0, 0].float() * 256 / WIDTH
        assert left.tolist() == pytest.approx([8, 1], abs=.01)  # 8 -> 11 = 1 -> 4


def moving_square(step, frames=8, place=20):
    """A textured square that walks to the right and down over a textured ground."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (2, 2 * HEIGHT, 2 * WIDTH, 3)).astype(np.float32)
    ground, square = (np.clip(4 * cv2.GaussianBlur(image, (0, 0), 2) - 380, 0, 255)
                      for image in noise)
    clip = []
    for t in range(frames):
        frame = ground.copy()
        top, left = place + t * step // 2, place + t * step
        frame[top:top + 40, left:left + 50] = square[:40, :50]
        clip.append(frame.astype(np.uint8))
    return clip


@pytest.mark.parametrize('seed', range(4))
def test_files_agree_with_flow_that_is_estimated_on_the_crops(tmp_path, seed):
    frames = moving_square(step=2)
    write_flow(tmp_path / 'folder/clip.npz', frames, stride=2, reduction=2)
    view = [dict(type='RandomResizedCrop', area_range=(.5, .8)),
            dict(type='Resize', scale=(96, 112), keep_ratio=False),
            dict(type='Flip', flip_ratio=.5)]
    flows = []
    for cache in (None, tmp_path):
        random.seed(seed)
        np.random.seed(seed)
        results = run(steps(cache, *view), sample(frames, [0, 2, 4, 1, 3, 5], 3))
        flows.append(results['flow'].float())
    estimated, cached = flows
    moving = estimated.norm(dim=0) > 2
    assert .05 < moving.float().mean() < .9
    difference = (estimated - cached).norm(dim=0)
    # both are estimates, at different scales
    assert difference[moving].median() < .3 * estimated.norm(dim=0)[moving].median()
    assert difference[~moving].median() < .3
    # neither the other direction nor another place will do
    for wrong in (-cached, cached.flip(-1) * torch.tensor([-1., 1.])[:, None, None, None]):
        assert (estimated - wrong).norm(dim=0)[moving].mean() > 3 * difference[moving].mean()


def test_file_keeps_the_flow_within_its_steps(tmp_path):
    frames = moving_square(step=4)
    write_flow(tmp_path / 'clip.npz', frames, stride=1, reduction=1)
    with np.load(tmp_path / 'clip.npz') as archive:
        assert archive['flow'].dtype == np.int8 and archive['flow'].shape == (8, 2, 96, 160)
        assert int(archive['stride']) == 1
    found = read_flow(str(tmp_path), 'clip', np.array([5, 6, 7, 0]), 8)
    true = backward_flow([frames[i] for i in (5, 6, 7, 0)]).transpose(1, 0, 2, 3)
    pixels = found.numpy() * np.array([160, 96])[:, None, None]
    limit = np.abs(true).max((2, 3)) / 127 / 2 + 1e-3
    assert (np.abs(pixels - true).max((2, 3)) < limit).all()
    # larger frames are reduced before, and shares of the frame stay what they are
    write_flow(tmp_path / 'small.npz', frames, stride=1, short_side=48, reduction=2)
    small = read_flow(str(tmp_path), 'small', np.array([0, 1]), 8)
    assert small.shape == (1, 2, 24, 40)
    inside = small[0, :, 10:14, 12:16].flatten(1).median(1).values
    assert inside.tolist() == pytest.approx([-4 / 160, -2 / 96], rel=.2)


def test_still_video_and_single_frame(tmp_path):
    frame = moving_square(step=2, frames=1)
    write_flow(tmp_path / 'clip.npz', frame, stride=4)
    assert (read_flow(str(tmp_path), 'clip', np.array([0, 0, 0]), 1) == 0).all()


def test_bad_files_and_places(tmp_path):
    frames = list(np.zeros((10, HEIGHT, WIDTH, 3), dtype=np.uint8))
    good = sample(frames, [0, 2, 4, 5, 7, 9], 3)
    with pytest.raises(FileNotFoundError, match=f'clip.npz: run .*extract_flow.py.*{tmp_path}'):
        run(steps(tmp_path), good)
    write_ramp(tmp_path, total=10, stride=2)
    with pytest.raises(ValueError, match='2 apart, but frames 0 and 4 of 10'):
        run(steps(tmp_path), sample(frames, [0, 2, 4, 0, 4, 8], 3))
    with pytest.raises(ValueError, match='of 10 frames, but the video has 9'):
        run(steps(tmp_path), sample(frames[:9], [0, 2, 4, 0, 2, 4], 3))
    with pytest.raises(ValueError, match='view 2 goes through RandomErasing'):
        run(steps(tmp_path, dict(type='RandomErasing')), sample(frames, [0, 2, 4, 5, 7, 9], 3))
    with pytest.raises(ValueError, match='has to follow ContrastiveViews'):
        TRANSFORMS.build(dict(type='BackwardFlow', view=1, cache=str(tmp_path)))(
            sample(frames, [0, 2, 4, 5, 7, 9], 3))
    file = tmp_path / 'folder/clip.npz'
    for damaged in (file.read_bytes()[:-200], b'', b'no archive'):
        file.write_bytes(damaged)
        with pytest.raises(ValueError, match='clip.npz is no flow file .* delete it and run'):
            run(steps(tmp_path), good)
