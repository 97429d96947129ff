"""HAT as a dataset: lists, labels, unreadable files, and the splits of the shipped configs."""
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmaction.registry import DATASETS, TRANSFORMS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from tiny_runs import ROOT

from devias_mm.datasets.class_names import read_class_names
from devias_mm.datasets.hat import ActionSwapClip, compose
from devias_mm.datasets.hat.layout import LAYOUTS, read_swap_pairs, read_video_list
from devias_mm.datasets.lists import read_list
from devias_mm.errors import ListFileError

GOLDEN = Path(__file__).resolve().parents[3] / 'shared' / 'golden' / 'filelists'
needs_golden = pytest.mark.skipif(not GOLDEN.is_dir(), reason='golden file lists are not here')
CLASSES = {'jump': 0, 'play chess': 1}
SAMPLER = dict(type='SampleFrames', clip_len=4, frame_interval=2, test_mode=True)
PIPELINE = [dict(type='ReadClip', sampler=SAMPLER), dict(type='FormatShape', input_format='NCTHW'),
            dict(type='PackActionInputs', meta_keys=('video_id', ),
                 algorithm_keys=('scene_label', 'background_label'))]


def make_layout(root, name='hat'):
    """Two videos; the person is a white square, the backgrounds are blue and green."""
    layout = LAYOUTS[name]
    for video, colour in (('jump/a', (255, 0, 0)), ('play chess/b', (0, 255, 0))):
        for t in range(10):
            scene = np.full((40, 60, 3), colour, dtype=np.uint8)
            mask = np.zeros((40, 60), dtype=np.uint8)
            mask[10:30, 20:40] = 255
            frame = np.where(mask[..., None] > 0, np.uint8(255), scene)
            for files, image in ((layout.original, frame), (layout.masks, mask),
                                 (layout.inpainted, scene)):
                folder = root / files.folder / (
                    video if layout.with_class else video.split('/')[-1])
                folder.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(folder / files.filename_tmpl.format(files.first_number + t)),
                            image)
    (root / 'labels.csv').write_text('0,jump\n1,play chess')
    (root / 'list.csv').write_text('jump/a 10 0\nplay chess/b 10 1')
    (root / 'swap.pickle').write_bytes(pickle.dumps({
        'jump/a': ['play chess/b', 10, 1], 'play chess/b': ['jump/a', '10', '0']}))
    return root


def build(root, kind, layout='hat', **kwargs):
    init_default_scope('mmaction')
    ann_file = 'swap.pickle' if kind == 'action-swap' else 'list.csv'
    return DATASETS.build(dict(dict(
        type='HATDataset', kind=kind, layout=layout, data_root=str(root), ann_file=ann_file,
        labels_file='labels.csv', num_classes=2, pipeline=PIPELINE, test_mode=True), **kwargs))


@pytest.mark.parametrize('size', [(40, 60), (30, 70)])
def test_a_background_that_stands_still_is_not_painted_over(tmp_path, size):
    root = make_layout(tmp_path)
    layout = LAYOUTS['hat']
    for t in range(2):  # of 10 frames of the person, five each go with one of the background
        for files in (layout.inpainted, layout.masks):
            image = np.random.default_rng(t).integers(0, 256, (*size, 3), dtype=np.uint8)
            cv2.imwrite(str(root / files.folder / 'play chess/b' /
                            files.filename_tmpl.format(t + 1)), image)
    for t in range(10):  # someone who walks: a trace would be seen
        mask = np.zeros((40, 60), np.uint8)
        mask[10:30, 3 * t:3 * t + 8] = 255
        cv2.imwrite(str(root / layout.masks.folder / 'jump/a' /
                        layout.masks.filename_tmpl.format(t + 1)), mask)

    def read(indices):
        clip = ActionSwapClip(str(root), layout, 'jump/a', 'play chess/b', 2, 'hat')
        return clip.read(np.array(indices), len(indices))

    together = read(range(10))
    for t in range(1, 10):  # the shift is that of the first frame
        np.testing.assert_array_equal(together[t], read([0, t])[1])


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('rule', compose.RULES)
def test_who_is_shown_and_what_is_scored(tmp_path, layout, rule):
    root = make_layout(tmp_path, layout)
    swap, scene, human = (build(root, kind, layout, rule=rule) for kind in (
        'action-swap', 'scene-only', 'human-only'))
    for i, own in enumerate(('jump/a', 'play chess/b')):
        samples = [data[i] for data in (swap, scene, human)]
        annotations = [sample['data_samples'] for sample in samples]
        assert [a.get('error') for a in annotations] == [None] * 3
        assert [a.video_id for a in annotations] == [own] * 3
        assert [a.gt_label.item() for a in annotations] == [i] * 3
        assert [a.background_label for a in annotations] == [1 - i, i, -1]
        assert [a.scene_label for a in annotations] == [-1] * 3
        person = [sample['inputs'][0, :, 1, 20, 30].tolist() for sample in samples]
        ground = [sample['inputs'][0, :, 1, 4, 4].tolist() for sample in samples]
        blue, green = [0, 0, 255], [0, 255, 0]
        own_ground, other = (blue, green) if i == 0 else (green, blue)
        np.testing.assert_allclose(person, [[255] * 3, own_ground, [255] * 3], atol=4)
        np.testing.assert_allclose(ground, [other, own_ground, [123, 116, 103]], atol=4)


@pytest.mark.parametrize('file, reason', [
    ('inp/play chess/b/000003.jpg', 'frame 000003.jpg is missing'),
    ('seg/jump/a/000004.png', 'frame 000004.png is missing'),
    ('ori/jump/a/000005.jpg', 'frame 000010.jpg is missing')])
def test_an_unreadable_video_is_a_sample_with_an_error(tmp_path, file, reason):
    root = make_layout(tmp_path)
    (root / file).unlink()
    data = build(root, 'action-swap', rule='hat', pipeline=[
        dict(PIPELINE[0], sampler=dict(SAMPLER, clip_len=10, frame_interval=1)), *PIPELINE[1:]])
    if file.startswith('ori'):  # nine files are left, and the fifth of them is not there
        reason = 'frame 000005.jpg is missing'
    sample = data[0]
    assert sample['data_samples'].error == reason and sample['inputs'].numel() == 0
    assert sample['data_samples'].gt_label.item() == 0
    assert sample['data_samples'].background_label == 1
    training = build(root, 'action-swap', rule='hat', test_mode=False,
                     pipeline=data.pipeline.transforms)
    assert training.prepare_data(0) is None


def test_a_mask_of_another_size(tmp_path):
    root = make_layout(tmp_path)
    for path in (root / 'seg' / 'jump' / 'a').iterdir():
        cv2.imwrite(str(path), cv2.resize(cv2.imread(str(path), 0), (30, 20)))
    assert 'mask 000002.png is 30 x 20 (w x h) and its frame 60 x 40' in \
        build(root, 'action-swap', rule='hat')[0]['data_samples'].error
    clip = build(root, 'action-swap', rule='devias')[0]['inputs'][0, :, 0]
    np.testing.assert_allclose(clip[:, 20, 30], 255, atol=4)
    np.testing.assert_allclose(clip[:, 4, 4], [0, 255, 0], atol=4)
    assert 'mask 000002.png is' in build(root, 'human-only', rule='hat')[0]['data_samples'].error
    clip = build(root, 'human-only', rule='devias')[0]['inputs'][0, :, 0]
    np.testing.assert_allclose(clip[:, 20, 30], 255, atol=4)
    np.testing.assert_allclose(clip[:, 4, 4], [123, 116, 103], atol=4)


def test_missing_folders_and_bad_options(tmp_path):
    root = make_layout(tmp_path)
    (root / 'inp').rename(root / 'elsewhere')
    with pytest.raises(FileNotFoundError, match=r'2 of the 6 folders .*swap\.pickle.*inp/'):
        build(root, 'action-swap')
    assert build(root, 'human-only')[0]['inputs'].numel()
    # one of two: the other video can be made, and a training needs both
    (root / 'ori' / 'jump' / 'a').rename(root / 'away')
    data = build(root, 'human-only')
    assert data.missing == [str(root / 'ori' / 'jump' / 'a')]
    assert [data[i]['data_samples'].get('error') for i in range(2)] == ['it holds no frame', None]
    with pytest.raises(FileNotFoundError, match=r'1 of the 4 folders .*1 of its 2 videos'):
        build(root, 'human-only', test_mode=False)
    for name in ('kind', 'layout', 'rule'):
        with pytest.raises(ValueError, match=f"{name}='no' is unknown, accepted: "):
            build(root, **dict(dict(kind='action-swap'), **{name: 'no'}))


@pytest.mark.parametrize('pairs, reason', [
    ([1], 'holds list'), ({}, 'holds dict'), ({'jump/a': ['play chess/b', 10]}, 'jump/a'),
    ({'jump/a': ['play chess/b', 'ten', 1]}, 'ten'), ({'jump/a': ['b', 10, 1]}, 'class/video'),
    ({'jump/a': ['play chess/b', 10, 2]}, r'class is 2, accepted: 0\.\.1'),
    ({'jump/a': ['play chess/b', 0, 1]}, r'frames is 0, accepted: 1\.\.'),
    ({'run/a': ['jump/a', 10, 0]}, "'run'"),
    ({3: ['jump/a', 10, 0]}, '3 ->'), ({'jump/a': ['play chess/b', 10.5, 1]}, '10.5'),
    ({'jump/../../a': ['play chess/b', 10, 1]}, 'leads out'),
    ({'jump/a': ['/play chess/b', 10, 1]}, 'absolute')])
def test_bad_pairs_are_named(tmp_path, pairs, reason):
    (tmp_path / 'swap.pickle').write_bytes(pickle.dumps(pairs))
    with pytest.raises(ListFileError, match=rf'swap\.pickle.*{reason}'):
        read_swap_pairs(str(tmp_path / 'swap.pickle'), CLASSES, 2)


@pytest.mark.parametrize('line', ['2,hop', '0,hop', 'hop', '1,jump', '-1,hop'])
def test_bad_class_names_are_named(tmp_path, line):
    root = make_layout(tmp_path)
    (root / 'labels.csv').write_text(f'0,jump\n{line}\n')
    with pytest.raises(ListFileError, match=rf'labels\.csv, line 2: .*{line}'):
        build(root, 'scene-only')


def test_a_label_without_a_name(tmp_path):
    (tmp_path / 'list.csv').write_text('a 10 1')
    with pytest.raises(ListFileError, match="'a' has the label 1"):
        read_video_list(str(tmp_path / 'list.csv'), {'jump': 0}, 2)
    assert read_video_list(str(tmp_path / 'list.csv'), CLASSES, 2)[0]['video'] == 'play chess/a'


@needs_golden
@pytest.mark.parametrize('name, classes', [('ucf101', 101), ('kinetics', 400)])
def test_golden_pickles_and_lists_are_read(name, classes):
    names = read_class_names(str(GOLDEN / 'hat' / name / 'labels.csv'), classes)
    assert sorted(names.values()) == list(range(classes))
    items = read_video_list(str(GOLDEN / 'hat' / name / 'list.csv'), names, classes)
    assert len(items) == 60 and all(names[i['video'].split('/')[0]] == i['label'] for i in items)
    for path in (GOLDEN / 'hat' / name).rglob('*.pickle'):
        pairs = read_swap_pairs(str(path), names, classes)
        assert len(pairs) == 40
        for pair in pairs:  # the class in a background's name is the class that is listed
            assert names[pair['background'].rsplit('/', 1)[0]] == pair['background_label']


@needs_golden
def test_golden_lists_of_other_formats_parse(tmp_path):
    columns = ('filename', 'start', 'end', 'duration', 'label')
    path = GOLDEN / 'activitynet' / 'train.csv'
    items = read_list(str(path), columns, 200, filename_prefix='v_', filename_suffix='.mp4')
    assert [f"{i['filename'][2:-4]} {i['start']} {i['end']} {i['duration']} {i['label']}"
            for i in items] == [' '.join(str(float(x)) if '.' in x and k in (1, 2, 3) else x
                                         for k, x in enumerate(line.split()))
                                for line in path.read_text().splitlines()]
    path = GOLDEN / 'places365' / 'val.csv'
    assert b'\r\n' in path.read_bytes()
    items = read_list(str(path), ('filename', 'label'), 365, delimiter=',')
    assert [f"{i['filename']},{i['label']}" for i in items] == path.read_text().splitlines()
    path = GOLDEN / 'mini_ssv2' / 'test.csv'
    assert len(read_list(str(path), ('filename', 'label'), 88)) == 60


def test_segments_that_end_before_they_start(tmp_path):
    columns, path = ('filename', 'start', 'end', 'duration', 'label'), tmp_path / 'list.csv'
    path.write_text('a 1 2 9 0\nb 3 3 9 1\na 2 3 9 1\n')
    with pytest.raises(ListFileError, match=r"line 2: .*starts at 3 s.*bad_segments='skip'"):
        read_list(str(path), columns, 2)
    items = read_list(str(path), columns, 2, bad_segments='skip')
    assert [i['video_id'] for i in items] == ['a@1-2', 'a@2-3']
    for line, reason in (('a 1 2 9 0', "'a@1-2' was already listed in line 1"),
                         ('c x 2 9 0', "start is 'x'"), ('c 1 inf 9 0', "end is 'inf'"),
                         ('c -1 2 9 0', "start is '-1'")):
        path.write_text(f'a 1 2 9 0\n{line}\n')
        with pytest.raises(ListFileError, match=f'line 2: .*{reason}'):
            read_list(str(path), columns, 2)
    path.write_text('a 1.5 0\n')
    with pytest.raises(ListFileError, match="line 1: total_frames is '1.5'"):
        read_list(str(path), ('filename', 'total_frames', 'label'), 2)


def test_draws_of_devias_depend_on_seed_and_video_only():
    init_default_scope('mmaction')

    def ends(video, seed=0, total=300):
        sampler = TRANSFORMS.build(dict(type='SampleFramesDEVIAS', clip_len=16, frame_interval=4,
                                        num_clips=2, seed=seed))
        results = sampler(dict(video_id=video, total_frames=total, start_index=0))
        assert results['frame_inds'].shape == (32, )
        assert 0 <= results['frame_inds'].min() <= results['frame_inds'].max() < total
        return results['window_ends']
    assert ends('a') == ends('a') and len(set(ends('a'))) == 2
    assert ends('a') != ends('b') and ends('a') != ends('a', seed=1)
    assert all(64 <= end < 300 for i in range(50) for end in ends(str(i)))
    assert ends('a', total=64) == [-1, -1] and ends('a', total=1) == [-1, -1]


@pytest.mark.parametrize('name, number', [('ucf101', 22), ('kinetics400', 23)])
def test_the_splits_of_a_suite_fit_the_template(name, number):
    """Every split replaces what it must of the seen test set, and nothing more."""
    cfg = Config.fromfile(str(ROOT / 'configs' / '_base_' / 'datasets' / f'{name}.py'))
    assert len(cfg.test_splits) == number and cfg.test_cfg.selected == ['seen']
    for kind in ('random', 'close', 'far', 'same'):
        for draw in (1, 2, 3):
            folder = kind.replace('random', 'rand')
            assert cfg.test_splits[f'hat-{kind}/{draw}'].ann_file.endswith(
                f'{folder}/actionswap_{folder}_{draw}.pickle')
    init_default_scope('mmaction')
    for changes in cfg.test_splits.values():
        dataset = Config(dict(dataset=cfg.test_dataloader.dataset.to_dict()))
        dataset.merge_from_dict(dict(dataset=dict(changes)))
        built = DATASETS.build(dict(dataset.dataset, lazy_init=True))
        assert built.test_mode and built.ann_file.startswith(f'data/{name}/')
        assert built.data_prefix['video'].startswith(f'data/{name}/')


@pytest.mark.parametrize('kind, backgrounds', [
    ('human-only', [-1, -1]), ('scene-only', [0, 1]), ('action-swap', [1, 0])])
def test_the_background_has_a_class_where_it_can_be_seen(tmp_path, kind, backgrounds):
    data = build(make_layout(tmp_path), kind)
    assert [data.get_data_info(i)['background_label'] for i in range(2)] == backgrounds
    assert [data.get_data_info(i)['label'] for i in range(2)] == [0, 1]
