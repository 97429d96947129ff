"""Folders of frames, still ones, and segments of videos."""
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmaction.registry import DATASETS
from mmengine.registry import init_default_scope
from tiny_runs import write_clip

GOLDEN = Path(__file__).resolve().parents[3] / 'shared' / 'golden' / 'filelists'
PIPELINE = [dict(type='ReadClip', sampler=dict(type='SampleFrames', clip_len=4, frame_interval=2,
                                               test_mode=True)),
            dict(type='FormatShape', input_format='NCTHW'),
            dict(type='PackActionInputs', meta_keys=('video_id', 'frame_inds'),
                 algorithm_keys=('scene_label', 'background_label'))]


def write_frames(folder, number, red=0, template='img_{:05d}.jpg', first=1):
    """Frame t is red above and 8 t everywhere else."""
    folder.mkdir(parents=True)
    for t in range(number):
        image = np.full((32, 48, 3), 8 * t, dtype=np.uint8)
        image[:8] = (0, 0, 255)
        cv2.imwrite(str(folder / template.format(first + t)), image)


def build(root, lines, pipeline=PIPELINE, **kwargs):
    init_default_scope('mmaction')
    (root / 'list.csv').write_text('\n'.join(lines))
    kwargs = dict(dict(type='FrameFolderDataset', num_classes=5, test_mode=True), **kwargs)
    return DATASETS.build(dict(ann_file='list.csv', data_root=str(root), pipeline=pipeline,
                               **kwargs))


def values(sample):
    """Grey value of each frame, ``(T,)``."""
    return sample['inputs'][0, :, :, 20, 24].float().mean(0).round().tolist()


def test_frames_and_identity(tmp_path):
    write_frames(tmp_path / 'val' / 'a.b c__0', 12)
    data = build(tmp_path, ['val/a.b c__0 12 3'])
    sample = data[0]
    assert sample['inputs'].shape == (1, 3, 4, 32, 48)
    assert sample['data_samples'].video_id == 'val/a.b c__0'
    assert sample['data_samples'].gt_label.tolist() == [3]
    assert sample['data_samples'].background_label == -1
    # 12 frames, 7 are spanned: the clip starts at (12 - 7) // 2
    np.testing.assert_allclose(values(sample), [16, 32, 48, 64], atol=2)
    top = sample['inputs'][0, :, 0, 2, 2]
    assert top[0] > 240 and top[1] < 15 and top[2] < 15  # RGB


def test_other_names_and_counted_frames(tmp_path):
    write_frames(tmp_path / 'a', 7, template='image_{:03d}.png', first=0)
    (tmp_path / 'a' / 'Thumbs.db').write_bytes(b'')
    data = build(tmp_path, ['a 1'], columns=('filename', 'label'), first_number=0,
                 filename_tmpl='image_{:03d}.png')
    assert values(data[0]) == [0, 16, 32, 48]


@pytest.mark.parametrize('still', ['middle', 'random'])
def test_scufo_repeats_one_frame_of_scuba(tmp_path, still):
    names = [f'v{i}' for i in range(6)]
    for name in names:
        write_frames(tmp_path / name, 20)
    data = build(tmp_path, [f'{name} 20 0' for name in names], still_frame=still)
    frames = [values(data[i]) for i in range(6)]
    assert all(len(set(clip)) == 1 for clip in frames)
    assert frames == [values(data[i]) for i in range(6)]  # drawn once for all
    shown = {clip[0] for clip in frames}
    assert (shown == {80}) if still == 'middle' else (len(shown) > 2)
    if still == 'random':
        other = build(tmp_path, [f'{name} 20 0' for name in names], still_frame=still, seed=1)
        assert frames != [values(other[i]) for i in range(6)]
    with pytest.raises(ValueError, match="'last' is unknown, accepted: None, 'middle'"):
        build(tmp_path, ['v0 20 0'], still_frame='last')


def test_missing_folders_and_unreadable_frames(tmp_path):
    for name in 'abcd':
        write_frames(tmp_path / name, 8)
    (tmp_path / 'b' / 'img_00003.jpg').unlink()
    content = (tmp_path / 'c' / 'img_00003.jpg').read_bytes()
    (tmp_path / 'c' / 'img_00003.jpg').write_bytes(content[:-30])
    (tmp_path / 'd' / 'img_00003.jpg').write_bytes(b'')
    data = build(tmp_path, [f'{name} 8 2' for name in 'abcd'])
    errors = [data[i]['data_samples'].get('error') for i in range(4)]
    assert errors[0] is None and errors[1] == 'frame img_00003.jpg is missing'
    assert 'damaged data' in errors[2] and errors[3] == 'frame img_00003.jpg cannot be decoded'
    assert data[1]['inputs'].numel() == 0 and data[1]['data_samples'].gt_label.tolist() == [2]
    data = build(tmp_path, ['gone 8 2', 'a 8 2'])
    assert data[0]['data_samples'].error == 'frame img_00001.jpg is missing'
    assert data.missing == [str(tmp_path / 'gone')] and data[1]['inputs'].numel()
    with pytest.raises(FileNotFoundError, match=r'1 of the 2 videos .*gone \(line 2\)'):
        build(tmp_path, ['a 8 2', 'gone 8 2'], test_mode=False)
    with pytest.raises(FileNotFoundError, match=r'gone \(line 2\)'):
        build(tmp_path, ['a,8,2', 'gone , 8 , 2'], delimiter=',', test_mode=False)


def test_frames_of_different_sizes_are_unreadable(tmp_path):
    write_frames(tmp_path / 'a', 8)
    cv2.imwrite(str(tmp_path / 'a' / 'img_00003.jpg'), np.zeros((20, 48, 3), np.uint8))
    sample = build(tmp_path, ['a 8 2'])[0]
    assert sample['data_samples'].error == \
        'its frames differ in size (h, w): [(20, 48), (32, 48)]'
    assert sample['inputs'].numel() == 0


SEGMENTS = dict(type='ActionSceneDataset', filename_prefix='v_', filename_suffix='.mp4',
                columns=('filename', 'start', 'end', 'duration', 'label'))


@pytest.mark.parametrize('backend', ['decord', 'opencv'])
def test_only_the_segment_is_sampled(tmp_path, backend):
    write_clip(tmp_path / 'v_a.mp4', 0, frames=32)  # 8 frames a second
    lines = ['a 1.0 2.0 4.0 3', 'a 2.5 9.0 4.0 2', 'a 7.0 8.0 9.0 1']
    pipeline = [dict(PIPELINE[0], backend=backend), *PIPELINE[1:]]
    data = build(tmp_path, lines, pipeline, **SEGMENTS)
    samples = [data[i]['data_samples'] for i in range(3)]
    assert [s.video_id for s in samples] == ['a@1.0-2.0', 'a@2.5-9.0', 'a@7.0-8.0']
    assert [s.gt_label.item() for s in samples] == [3, 2, 1]
    assert samples[0].frame_inds.tolist() == [8, 10, 12, 14]
    assert samples[1].frame_inds.tolist() == [22, 24, 26, 28]  # 20..31: it ends with the video
    assert samples[2].error == 'the segment starts at 7.0 s, the video ends at 4.00 s'
    whole = build(tmp_path, ['v_a.mp4 0'], pipeline, type='ActionSceneDataset')[0]['inputs']
    bright = [(data[0]['inputs'][0, 0, t] > 200).float().mean(0).argmax().item() for t in (0, 3)]
    assert bright[0] > 10 and whole.shape == (1, 3, 4, 64, 64)  # the square has walked since


@pytest.mark.skipif(not GOLDEN.is_dir(), reason='golden file lists are not here')
@pytest.mark.parametrize('name, classes', [('scuba/ucf101', 101), ('scuba/kinetics', 400),
                                           ('hat/ucf101', 101), ('hat/kinetics', 400)])
def test_golden_lists_of_frame_folders_parse(name, classes):
    from devias_mm.datasets.lists import read_list
    path = next((GOLDEN / name).glob('[tl][ei]s[t]*.csv'))
    items = read_list(str(path), ('filename', 'total_frames', 'label'), classes)
    lines = path.read_text().splitlines()
    assert [f"{i['video_id']} {i['total_frames']} {i['label']}" for i in items] == lines


@pytest.mark.parametrize('seconds, frames', [
    ('0.95 1.55', [7, 8, 9, 10, 11, 12]), ('1.0 1.5', [8, 9, 10, 11]), ('1.0 1.01', [8])])
def test_a_segment_has_every_frame_that_it_touches(tmp_path, seconds, frames):
    write_clip(tmp_path / 'v_a.mp4', 0, frames=32)  # 8 frames a second
    sampler = dict(type='SampleFrames', clip_len=len(frames), frame_interval=1, test_mode=True)
    pipeline = [dict(PIPELINE[0], sampler=sampler), *PIPELINE[1:]]
    sample = build(tmp_path, [f'a {seconds} 4.0 3'], pipeline, **SEGMENTS)[0]['data_samples']
    assert sample.frame_inds.tolist() == frames
