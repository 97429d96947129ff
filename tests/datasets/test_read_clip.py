"""Reading clips: the right frames, in the right order, in RGB; damage is noticed."""
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from mmaction.registry import TRANSFORMS
from mmengine.registry import init_default_scope
from tiny_runs import write_clip

from devias_mm.datasets.transforms import VideoReadError
from devias_mm.datasets.transforms.decoder_log import capture_decoder_log, find_damage
from devias_mm.datasets.transforms.read_clip import segment_frames

SHARED = Path(__file__).resolve().parents[3] / 'shared'
REAL = sorted((SHARED / 'real_clips').glob('*.[am][vp][i4]'))
needs_shared = pytest.mark.skipif(not REAL, reason='the shared clips are not here')


def read(path, backend='decord', **sampler):
    init_default_scope('mmaction')
    sampler = dict(dict(type='SampleFrames', clip_len=8, frame_interval=2, test_mode=True),
                   **sampler)
    transform = TRANSFORMS.build(dict(type='ReadClip', backend=backend, sampler=sampler))
    return transform(dict(filename=str(path), start_index=0, modality='RGB'))


@pytest.mark.parametrize('backend', ['decord', 'opencv'])
def test_frames_follow_the_sampler(tmp_path, backend):
    write_clip(tmp_path / 'a.mp4', 0)
    results = read(tmp_path / 'a.mp4', backend)
    assert results['frame_inds'].tolist() == list(range(0, 16, 2))
    assert results['total_frames'] == 16 and results['img_shape'] == (64, 64)
    for index, frame in zip(results['frame_inds'], results['imgs']):
        assert frame.shape == (64, 64, 3) and frame.dtype == np.uint8
        columns = np.flatnonzero(frame[32, :, 0] > 128)
        assert abs(int(columns[0]) - 2 * index) <= 1  # the square has walked 2 px a frame


@pytest.mark.parametrize('backend', ['decord', 'opencv'])
def test_colours_are_rgb(tmp_path, backend):
    import cv2
    writer = cv2.VideoWriter(str(tmp_path / 'red.mp4'), cv2.VideoWriter_fourcc(*'mp4v'), 8,
                             (64, 64))
    for _ in range(4):
        writer.write(np.full((64, 64, 3), (0, 0, 255), dtype=np.uint8))  # red, in BGR
    writer.release()
    frame = read(tmp_path / 'red.mp4', backend, clip_len=2)['imgs'][0]
    assert frame[..., 0].min() > 200 and frame[..., 2].max() < 60


@pytest.mark.parametrize('backend', ['decord', 'opencv'])
def test_short_video_is_looped(tmp_path, backend):
    write_clip(tmp_path / 'a.mp4', 0, frames=5)
    assert len(read(tmp_path / 'a.mp4', backend)['imgs']) == 8


@needs_shared
@pytest.mark.parametrize('path', REAL, ids=lambda path: path.name)
def test_real_videos_are_not_taken_for_damaged(path):
    results = read(path, clip_len=4, frame_interval=8, num_clips=2)
    assert len(results['imgs']) == 8
    assert len({frame.shape for frame in results['imgs']}) == 1


def cut(tmp_path, name, share):
    data = (SHARED / 'real_clips' / name).read_bytes()
    (tmp_path / name).write_bytes(data[:int(share * len(data))])
    return tmp_path / name


@needs_shared
@pytest.mark.parametrize('name, share', [
    ('ucf101_apply_eye_makeup.avi', 0.02), ('cleaning_pool_part.mp4', 0.4)])
def test_cut_off_video_is_an_error(tmp_path, name, share):
    with pytest.raises(VideoReadError, match=name):
        read(cut(tmp_path, name, share), clip_len=16, frame_interval=1, num_clips=12)


@needs_shared
def test_what_is_left_of_a_video_is_read(tmp_path):
    results = read(cut(tmp_path, 'ucf101_apply_eye_makeup.avi', 0.4), num_clips=4)
    assert 16 < results['total_frames'] < 164 and len(results['imgs']) == 32


@needs_shared
def test_damage_is_reported_without_addresses():
    path = SHARED / 'golden' / 'clips' / 'corrupted.mp4'
    with pytest.raises(VideoReadError, match=r'damaged data: \[\w+\]'):
        read(path)


@pytest.mark.parametrize('start, end, frames', [
    (0.26, 0.61, (2, 7)),  # 2.6 is shown by frame 2, and 6.1 by frame 6
    (0.3, 0.6, (3, 6)), (0.69, 0.691, (6, 7)), (0, 0.01, (0, 1)), (0.5, 99, (5, 10)),
    (0.95, 0.97, (9, 10))])
def test_frames_of_a_segment(start, end, frames):
    segment = dict(filename='a', start=start, end=end)
    assert segment_frames(segment, fps=10, total_frames=10) == frames


@pytest.mark.parametrize('fps', [0, -1, float('nan'), float('inf')])
def test_a_segment_needs_a_frame_rate(fps):
    with pytest.raises(VideoReadError, match='no frame rate'):
        segment_frames(dict(filename='a', start=1, end=2), fps, 10)
    with pytest.raises(VideoReadError, match='starts at 1 s, the video ends at 1.00 s'):
        segment_frames(dict(filename='a', start=1, end=2), 10, 10)


def test_decoder_log_collects_and_restores(capfd):
    lines = []
    for _ in range(2):  # the log file is used again
        with capture_decoder_log(lines):
            os.write(2, b'[mpeg4 @ 0x1] Error at MB: 34\n')
    assert len(lines) == 2 and find_damage(lines) == '[mpeg4 @ 0x1] Error at MB: 34'
    assert find_damage(['mmco: unref short failure', 'ERROR opening: damaged.mp4']) == ''
    print('seen', file=sys.stderr, flush=True)
    assert capfd.readouterr().err.strip() == 'seen'


def test_unknown_backend_is_named():
    with pytest.raises(ValueError, match=r"'pyav' is unknown, accepted: \['decord', 'opencv'\]"):
        TRANSFORMS.build(dict(type='ReadClip', backend='pyav',
                              sampler=dict(type='SampleFrames', clip_len=8)))


@pytest.mark.parametrize('backend', ['decord', 'opencv'])
def test_a_file_that_is_no_video_is_named(tmp_path, backend):
    (tmp_path / 'a.mp4').write_bytes(b'no video')
    with pytest.raises(VideoReadError, match='a.mp4') as error:
        read(tmp_path / 'a.mp4', backend)
    if backend == 'opencv':
        assert 'OpenCV cannot open it' in str(error.value)


def test_a_source_without_frames_and_a_segment_without_a_rate_are_errors():
    transform = TRANSFORMS.build(dict(type='ReadClip', sampler=dict(
        type='SampleFrames', clip_len=1)))
    for source, segment, message in (
            (SimpleNamespace(total_frames=0, fps=8.), {}, 'it holds no frame'),
            (SimpleNamespace(total_frames=4, fps=0.), dict(start=0., end=1.), 'no frame rate')):
        with pytest.raises(VideoReadError, match=message):
            transform(dict(filename='a', source=source, **segment))
