"""The dataset: identity, missing files, unreadable videos."""
import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS, TRANSFORMS
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from tiny_runs import write_clip
from torch.utils.data import DataLoader

import devias_mm.register  # noqa: F401  (registers what configs name)
from devias_mm.errors import ListFileError

CLIPS = Path(__file__).resolve().parents[3] / 'shared' / 'golden' / 'clips'
needs_clips = pytest.mark.skipif(not CLIPS.is_dir(), reason='golden clips are not here')
COLUMNS = ('filename', 'label', 'scene_label')


def pipeline(backend='decord', test_mode=False, first=None):
    sampler = dict(type='SampleFrames', clip_len=8, frame_interval=2, test_mode=test_mode)
    return [first or dict(type='ReadClip', backend=backend, sampler=sampler),
            dict(type='Resize', scale=(32, 32), keep_ratio=False),
            dict(type='FormatShape', input_format='NCTHW'),
            dict(type='PackActionInputs', meta_keys=('video_id', ),
                 algorithm_keys=('scene_label', 'background_label'))]


def build(root, lines, test_mode=False, **kwargs):
    init_default_scope('mmaction')
    (root / 'list.txt').write_text('\n'.join(lines) + '\n')
    kwargs.setdefault('pipeline', pipeline(test_mode=test_mode))
    return DATASETS.build(dict(
        type='ActionSceneDataset', ann_file='list.txt', data_root=str(root),
        num_classes=5, num_scene_classes=3, test_mode=test_mode,
        **dict(dict(columns=COLUMNS), **kwargs)))


@pytest.fixture
def reports(caplog):
    """What is logged; MMLogger does not pass its records on to pytest."""
    logger, records = MMLogger.get_current_instance(), []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())
    logger.addHandler(handler)
    yield records
    logger.removeHandler(handler)


@pytest.mark.parametrize('backend', ['decord', 'opencv'])
def test_sample_is_aligned_with_its_line(tmp_path, backend):
    for i in range(3):
        write_clip(tmp_path / f'v{i}.mp4', 60 * i)
    data = build(tmp_path, [f'v{i}.mp4 {i + 2} {i}' for i in range(3)],
                 pipeline=pipeline(backend))
    for i in range(3):
        sample = data[i]
        inputs, annotation = sample['inputs'], sample['data_samples']
        assert inputs.shape == (1, 3, 8, 32, 32) and inputs.dtype == torch.uint8
        assert abs(int(inputs[..., 0, -1].float().mean()) - 60 * i) < 6
        assert annotation.video_id == f'v{i}' and annotation.gt_label.tolist() == [i + 2]
        assert annotation.scene_label == i and annotation.background_label == -1
        assert 'error' not in annotation


def test_labels_of_clips_without_a_person(tmp_path):
    write_clip(tmp_path / 'a.mp4', 0)
    data = build(tmp_path, ['a.mp4 -1 2 3', 'gone.mp4 -1 1 4'], test_mode=True,
                 columns=(*COLUMNS, 'background_label'))
    for index, labels in enumerate([(-1, 2, 3), (-1, 1, 4)]):
        sample = data[index]['data_samples']
        assert ('error' in sample) == bool(index)
        assert (sample.gt_label.item(), sample.scene_label, sample.background_label) == labels


def test_missing_files_are_found_at_the_start(tmp_path):
    write_clip(tmp_path / 'a.mp4', 0)
    lines = ['a.mp4 0 0', ''] + [f'gone{i}.mp4 0 0' for i in range(5)]
    message = r'5 of the 6 videos in .*list\.txt.*gone0\.mp4 \(line 3\)'
    with pytest.raises(FileNotFoundError, match=message):
        build(tmp_path, lines)
    assert len(build(tmp_path, lines, check_files=False)) == 6


def test_a_test_goes_on_without_missing_files(tmp_path, reports):
    write_clip(tmp_path / 'a.mp4', 0)
    data = build(tmp_path, ['gone0.mp4 1 0', 'a.mp4 0 0', 'gone1.mp4 2 2'], test_mode=True)
    assert data.missing == [str(tmp_path / f'gone{i}.mp4') for i in range(2)]
    text, = [text for text in reports if 'missing' in text]
    assert '2 of the 3 videos in' in text and 'gone0.mp4 (line 1)' in text
    samples = [data[i]['data_samples'] for i in range(3)]
    assert [bool(sample.get('error')) for sample in samples] == [True, False, True]
    assert samples[2].video_id == 'gone1' and samples[2].gt_label.tolist() == [2]
    # without any video the folder is the wrong one
    with pytest.raises(FileNotFoundError, match=r'2 of the 2 .*point `data_root`'):
        build(tmp_path, ['gone0.mp4 1 0', 'gone1.mp4 2 2'], test_mode=True)


@needs_clips
@pytest.mark.parametrize('backend', ['decord', 'opencv'])
@pytest.mark.parametrize('name', ['corrupted', 'truncated', 'empty'])
def test_bad_video_in_test_mode(tmp_path, name, backend):
    shutil.copy(CLIPS / f'{name}.mp4', tmp_path)
    data = build(tmp_path, [f'{name}.mp4 3 2'], test_mode=True,
                 pipeline=pipeline(backend, test_mode=True))
    sample = data[0]
    assert sample['inputs'].numel() == 0
    annotation = sample['data_samples']
    assert annotation.video_id == name and annotation.gt_label.tolist() == [3]
    assert annotation.scene_label == 2 and annotation.error
    assert '0x' not in annotation.error and str(tmp_path) not in annotation.error


@needs_clips
@pytest.mark.parametrize('workers', [0, 2])
def test_bad_video_in_training_is_reported_once_and_replaced(tmp_path, reports, workers):
    shutil.copy(CLIPS / 'truncated.mp4', tmp_path)
    shutil.copy(CLIPS / 'empty.mp4', tmp_path)
    for i in range(2):
        write_clip(tmp_path / f'v{i}.mp4', 60 * i)
    data = build(tmp_path, ['truncated.mp4 0 0', 'v0.mp4 1 0', 'empty.mp4 0 0', 'v1.mp4 2 0'])
    loader = DataLoader(data, batch_size=2, num_workers=workers, collate_fn=list,
                        worker_init_fn=lambda _: np.random.seed(0))
    for _ in range(3):  # three epochs, with new workers each
        samples = [sample for batch in loader for sample in batch]
        assert len(samples) == 4
        assert {sample['data_samples'].video_id for sample in samples} <= {'v0', 'v1'}
        assert samples[1]['data_samples'].video_id == 'v0'
    assert data._reported.tolist() == [True, False, True, False]
    if workers == 0:  # workers log in their own processes
        assert sum('truncated.mp4' in text for text in reports) == 1
        assert sum('empty.mp4' in text for text in reports) == 1


@needs_clips
def test_only_unreadable_videos_is_an_error(tmp_path):
    shutil.copy(CLIPS / 'empty.mp4', tmp_path)
    with pytest.raises(ListFileError, match='none of the 1 videos'):
        build(tmp_path, ['empty.mp4 0 0'])[0]


def test_a_bug_in_the_pipeline_is_not_taken_for_a_bad_video(tmp_path):
    write_clip(tmp_path / 'a.mp4', 0)
    steps = pipeline()
    steps.insert(1, lambda results: {}['no such key'])
    with pytest.raises(KeyError, match='no such key'):
        build(tmp_path, ['a.mp4 0 0'], pipeline=steps)[0]


def test_the_reason_may_cross_processes():
    import pickle

    from devias_mm.datasets.transforms import VideoReadError
    error = pickle.loads(pickle.dumps(VideoReadError('a.mp4', '[12:00:01] x @ 0x55aa: bad')))
    assert error.video == 'a.mp4' and error.reason == 'x: bad'
    assert TRANSFORMS.get('ReadClip') is not None
