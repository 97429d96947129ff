"""HAT composites and human-only frames equal those of the published loaders, pixel for pixel."""
from pathlib import Path

import cv2
import numpy as np
import pytest
from hat_folders import GOLDEN, LISTS, write_release
from mmaction.registry import DATASETS
from mmengine.registry import init_default_scope

from devias_mm.datasets.hat import sources
from devias_mm.datasets.hat.compose import background_indices

LAYOUTS = {'hat': 'hat', 'kinetics': 'devias-kinetics', 'ucf101': 'devias-ucf101'}
MEAN, STD = np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375])


def load(name):
    """Expected arrays, grouped by case."""
    cases = {}
    with np.load(GOLDEN / f'expected_{name}.npz', allow_pickle=False) as arrays:
        for key in arrays:
            case, value = key.rsplit('__', 1)
            cases.setdefault(case, {})[value] = arrays[key]
    return cases


HAT, DEVIAS, HUMAN = load('hat_rule'), load('devias_rule'), load('human_only')
# the same frames in both layouts, stored once
TWINS = {'v_Archery_g01_c01': 'pubA_000011_000021', 'v_YoYo_g02_c03': 'pubB_000007_000017',
         'v_Archery_g03_c02': 'pubC_000030_000040'}


@pytest.fixture(scope='module')
def release(tmp_path_factory):
    """The published folders and lists, written from arrays."""
    folder = tmp_path_factory.mktemp('hat')
    write_release(folder)
    return folder


def dataset(release, layout, sampler, rest=(), **kwargs):
    init_default_scope('mmaction')
    name = LAYOUTS[layout]
    lists = LISTS[name]
    return DATASETS.build(dict(
        type='HATDataset', layout=name, data_prefix=dict(video=str(release / name)),
        labels_file=str(release / f'{lists}_labels.csv'), test_mode=True,
        num_classes=dict(kinetics=400, ucf101=101)[lists],
        pipeline=[dict(type='ReadClip', sampler=sampler), *rest], **kwargs))


def swap_dataset(release, layout, swap, sampler, rule, rest=()):
    lists = LISTS[LAYOUTS[layout]]
    return dataset(release, layout, sampler, rest, rule=rule, kind='action-swap',
                   ann_file=str(release / f'{lists}_{swap}.pickle'))


def info_of(data, video):
    return next(info for info in map(data.get_data_info, range(len(data)))
                if info['video_id'].endswith(f'/{video}'))


def numbers(frames, indices):
    return [int(Path(frames.path(index)).stem.split('_')[-1]) for index in indices]


def check_composite(data, video, expected, parity):
    """Frames, file numbers, shift and labels of one case."""
    info = info_of(data, video)
    if expected.get('random_end', -1) >= 0:
        info['window_ends'] = [int(expected['random_end'])]
    source = info['source']
    shifts = []
    plain = sources.shift_of

    def spy(*args):
        shifts.append(plain(*args))
        return shifts[-1]

    sources.shift_of = spy
    try:
        results = data.pipeline(info)
    finally:
        sources.shift_of = plain
    indices = results['frame_inds']
    assert numbers(source.frames, indices) == expected['fg_file'].tolist()
    chosen = background_indices(indices, source.total_frames, source.background_frames,
                                source.rule)
    assert numbers(source.backgrounds, chosen) == expected['bg_file'].tolist()
    if 'fg_mask_file' in expected:
        assert numbers(source.masks, indices) == expected['fg_mask_file'].tolist()
        assert numbers(source.background_masks, chosen[:1]) == [int(expected['bg_mask_file'])]
    assert shifts == [tuple(expected['move_row_col'])]
    frames = np.stack(results['imgs'])[expected['positions']][:, ::2, ::2]
    assert frames.dtype == np.uint8 and frames.shape == expected['frames'].shape
    parity('frames', frames, expected['frames'], 0)
    return results


@pytest.mark.parametrize('case', HAT)
def test_golden_composite_of_hat_rule(release, case, parity):
    _, swap, video, sampling = case.split('__')
    length, number, interval = dict(c6i3=(6, 1, 3), n5=(1, 5, 1))[sampling]
    sampler = dict(type='SampleFramesHAT', clip_len=length, num_clips=number,
                   frame_interval=interval, test_mode=True)
    data = swap_dataset(release, 'hat', swap, sampler, 'hat')
    results = check_composite(data, video, HAT[case], parity)
    # the published loader returns the background's class; what counts is the person's
    assert results['background_label'] == HAT[case]['label']
    assert results['label'] == (20 if video.startswith('pubB') else 5)


@pytest.mark.parametrize('case', [case for case in DEVIAS if not case.startswith('devias_view')])
def test_golden_composite_of_devias_rule(release, case, parity):
    layout, swap, video, sampling = case.split('__')
    length, rate = map(int, sampling.split('x'))
    sampler = dict(type='SampleFramesDEVIAS', clip_len=length, frame_interval=rate)
    data = swap_dataset(release, layout.split('_')[1], swap, sampler, 'devias')
    expected = dict(DEVIAS[case])
    if 'frames' not in expected:
        twin = f'devias_kinetics__{swap}__{TWINS[video]}__{sampling}'
        expected['frames'] = DEVIAS[twin]['frames']
    results = check_composite(data, video, expected, parity)
    assert results['label'] == expected['label']
    # the recorded draw is one that a seed may give
    low, high = expected['random_range']
    drawn = data.pipeline(info_of(data, video))['window_ends']
    assert (drawn == [-1]) if low < 0 else (low <= drawn[0] < high)


@pytest.mark.parametrize('case', [case for case in DEVIAS if case.startswith('devias_view')])
def test_golden_network_input(release, case, parity):
    _, swap, video, view = case.split('__')
    sampler = dict(type='SampleFramesDEVIAS', clip_len=8, frame_interval=2)
    data = swap_dataset(release, 'kinetics', swap, sampler, 'devias', rest=[
        dict(type='Resize', scale=(-1, 64)), dict(type='ThreeCropViews', crop_size=64),
        dict(type='FormatShape', input_format='NCTHW')])
    info = info_of(data, video)
    info['window_ends'] = [int(DEVIAS[case]['random_end'])]
    clip = data.pipeline(info)['imgs'][int(view[-1])]  # (3, 8, 64, 64)
    clip = (clip - MEAN[:, None, None, None]) / STD[:, None, None, None]
    parity('tensor_sub', clip[:, ::3, ::2, ::2], DEVIAS[case]['tensor_sub'], 2e-4)


# the published loader can fill later in its pipeline as well, which no test set uses
@pytest.mark.parametrize('case', [case for case in HUMAN if case.endswith('__plain')])
def test_golden_human_only(release, case, parity):
    video = case.split('__')[1]
    sampler = dict(type='SampleFrames', clip_len=1, num_clips=3, test_mode=True)
    data = dataset(release, 'hat', sampler,
                   kind='human-only', ann_file=str(release / 'ann_list.txt'))
    info = info_of(data, video)
    results = data.pipeline(info)
    files = numbers(info['source'].frames, results['frame_inds'])
    assert files == HUMAN[case]['fg_file'].tolist()
    frames = np.stack(results['imgs']).transpose(0, 3, 1, 2)
    parity('frames', frames, HUMAN[case]['frames'], 0)


@pytest.mark.parametrize('layout', LAYOUTS)
def test_golden_scene_only_shows_the_inpainted_frames(release, layout, tmp_path):
    name, frames, label = dict(
        hat=('bending back/pubB_000007_000017', 32, 20), kinetics=('pubB_000007_000017', 32, 20),
        ucf101=('YoYo/v_YoYo_g02_c03', 32, 100))[layout]
    (tmp_path / 'list.csv').write_text(f'{name} {frames} {label}')
    data = dataset(release, layout, dict(type='SampleFrames', clip_len=32, test_mode=True),
                   kind='scene-only', ann_file=str(tmp_path / 'list.csv'))
    results = data.pipeline(data.get_data_info(0))
    assert results['label'] == results['background_label'] == label
    files = sorted((release / LAYOUTS[layout]).rglob(f'inp*/**/{name.split("/")[-1]}/*.jpg'))
    assert len(files) == len(results['imgs']) == 32
    for file, frame in zip(files, results['imgs']):
        np.testing.assert_array_equal(frame, cv2.imread(str(file))[..., ::-1])
