"""``tools/data/check_dataset.py`` on small data sets, each with one thing wrong."""
import json
import pickle
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from tiny_runs import write_clip
from tool_calls import run_tool

from devias_mm.datasets.check import Checker, split_configs
from devias_mm.datasets.class_maps import compare_label_maps, label_map
from devias_mm.datasets.published_counts import EXPECTED, Expected, expected_of

FILELISTS = Path(__file__).resolve().parents[3] / 'shared' / 'golden' / 'filelists'
CLASSES, VIDEOS, FRAMES = ('bending back', 'archery'), 3, 5
CONFIG = """
data_root = r'{root}'
pipeline = [dict(type='ReadClip', backend='opencv', sampler=dict(
    type='SampleFrames', clip_len=4, frame_interval=1, test_mode=True))]
data = dict(type='ActionSceneDataset', data_root=data_root, num_classes=2,
            data_prefix=dict(video='videos'), pipeline=pipeline)
train_dataloader = dict(dataset=dict(ann_file='train.txt', **data))
val_dataloader = dict(dataset=dict(ann_file='val.txt', test_mode=True, **data))
test_dataloader = dict(dataset=dict(ann_file='val.txt', test_mode=True, **data))
hat = dict(type='HATDataset', layout='hat', labels_file='labels.csv',
           data_prefix=dict(video='hat'))
test_cfg = dict(splits={{
    'seen': {{}},
    'scuba-vqgan': dict(type='FrameFolderDataset', ann_file='scuba.csv',
                        columns=('filename', 'total_frames', 'label'),
                        data_prefix=dict(video='scuba')),
    'hat-scene-only': dict(kind='scene-only', ann_file='hat.csv', **hat),
    'hat-human-only': dict(kind='human-only', ann_file='hat.csv', **hat),
    'hat-far/1': dict(kind='action-swap', ann_file='far.pickle', **hat)}})
"""
SPLITS = ('training', 'validation', 'seen', 'scuba-vqgan', 'hat-scene-only', 'hat-human-only',
          'hat-far/1')


def write_frames(folder, template, grey=90):
    folder.mkdir(parents=True)
    for number in range(1, FRAMES + 1):
        cv2.imwrite(str(folder / template.format(number)),
                    np.full((24, 32, 3)[:2 + (grey != 255)], grey, dtype=np.uint8))


@pytest.fixture(scope='module')
def complete(tmp_path_factory):
    """A data set with nothing wrong: two classes, three videos each, in every split."""
    root = tmp_path_factory.mktemp('complete')
    names = [(f'{name}/v{label}{i}', label) for label, name in enumerate(CLASSES)
             for i in range(VIDEOS)]
    for name, _ in names:
        for part in ('train', 'val'):
            write_clip(root / 'videos' / f'{name}_{part}.mp4', 120, frames=8)
        write_frames(root / 'scuba' / 'val' / f'{name.split("/")[1]}__0', 'img_{:05d}.jpg')
        write_frames(root / 'hat' / 'ori' / name, '{:06d}.jpg')
        write_frames(root / 'hat' / 'inp' / name, '{:06d}.jpg')
        write_frames(root / 'hat' / 'seg' / name, '{:06d}.png', 255)
    for part in ('train', 'val'):
        (root / f'{part}.txt').write_text(
            '\n'.join(f'{name}_{part}.mp4 {label}' for name, label in names))
    (root / 'scuba.csv').write_text('\n'.join(
        f'val/{name.split("/")[1]}__0 {FRAMES} {label}' for name, label in names))
    (root / 'hat.csv').write_text('\n'.join(f'{name} {FRAMES} {label}' for name, label in names))
    (root / 'labels.csv').write_text('\n'.join(f'{i},{name}' for i, name in enumerate(CLASSES)))
    (root / 'far.pickle').write_bytes(pickle.dumps(
        {name: [names[i - VIDEOS][0], FRAMES, names[i - VIDEOS][1]]
         for i, (name, _) in enumerate(names)}))
    return root


@pytest.fixture
def data(complete, tmp_path):
    """A copy to be broken; ``data.check()`` reports on its splits by name."""
    return Data(shutil.copytree(complete, tmp_path / 'data'))


class Data:
    def __init__(self, root):
        self.root = root
        self.config = root.parent / 'config.py'
        self.config.write_text(CONFIG.format(root=root))

    def check(self, name='', **options):
        init_default_scope('mmaction')
        checker = Checker(name, **{**dict(sample=10), **options})
        return {split: checker.check_split(split, config)
                for split, config in split_configs(Config.fromfile(str(self.config))).items()}

    def problems(self, **options):
        return {split: report.problems for split, report in self.check(**options).items()
                if report.problems}

    def change(self, name, old, new, count=-1):
        text = (self.root / name).read_text()
        assert old in text
        (self.root / name).write_text(text.replace(old, new, count))


def only(problems, *splits):
    """The one problem of each of the splits, and no other split has any."""
    assert sorted(problems) == sorted(splits), problems
    assert all(len(texts) == 1 for texts in problems.values()), problems
    return [problems[split][0] for split in splits]


def test_a_complete_data_set_has_no_problem(data):
    reports = data.check()
    assert tuple(reports) == SPLITS
    for report in reports.values():
        assert (report.videos, report.classes, report.sampled) == (6, 2, 6)
        assert not (report.problems or report.notes or report.missing or report.unreadable)
    assert compare_label_maps({name: report.labels for name, report in reports.items()}) == []
    assert reports['training'].labels['class', 'archery'] == 1
    assert ('class', 'val') not in reports['scuba-vqgan'].labels


def test_missing_files_are_named(data):
    (data.root / 'videos/archery/v11_val.mp4').unlink()
    shutil.rmtree(data.root / 'scuba/val/v02__0')
    shutil.rmtree(data.root / 'hat/inp/archery/v10')
    texts = only(data.problems(), 'validation', 'seen', 'scuba-vqgan', 'hat-scene-only',
                 'hat-far/1')
    for text, name in zip(texts, ('v11_val.mp4', 'v11_val.mp4', 'val/v02__0', 'inp/archery/v10',
                                  'inp/archery/v10')):
        assert 'files or folders are missing: ' in text and text.endswith(name)
        assert text.startswith('1 of ')
    reports = data.check()
    assert reports['seen'].sampled == 5 and reports['hat-far/1'].sampled == 5


def test_ten_of_many_names_and_how_many_more(data):
    lines = [f'archery/gone{i:02d}.mp4 1' for i in range(12)]
    (data.root / 'train.txt').write_text('\n'.join(['bending back/v00_train.mp4 0', *lines]))
    report = data.check()['training']
    assert len(report.missing) == 12 and report.missing[11].endswith('gone11.mp4')
    text, = report.problems
    assert text.startswith('12 of 13 files') and text.endswith('gone09.mp4 and 2 more')


@pytest.mark.parametrize('workers', [0, 2])
def test_undecodable_videos(data, workers):
    path = data.root / 'videos/archery/v12_train.mp4'
    path.write_bytes(path.read_bytes()[:300])
    (data.root / 'scuba/val/v00__0/img_00003.jpg').write_bytes(b'no picture')
    cv2.imwrite(str(data.root / 'hat/seg/archery/v10/000002.png'), np.zeros((8, 8), np.uint8))
    video, frame, *masks = only(data.problems(workers=workers), 'training', 'scuba-vqgan',
                                'hat-human-only', 'hat-far/1')
    assert '1 of 6 sampled videos cannot be read: archery/v12_train: ' in video
    assert frame.endswith('val/v00__0: frame img_00003.jpg cannot be decoded')
    assert all('archery/v10: mask 000002.png is 8 x 8 (w x h)' in text for text in masks)


def test_the_sample_depends_on_the_seed_and_is_no_larger_than_asked(data):
    def broken(seed):
        report = data.check(sample=3, seed=seed)['training']
        assert report.sampled == 3 and len(report.unreadable) == 3
        return report.unreadable
    for path in (data.root / 'videos').rglob('*_train.mp4'):
        path.write_bytes(b'')
    assert broken(0) == broken(0)
    assert len({tuple(broken(seed)) for seed in range(4)}) > 1
    assert data.check(sample=0)['training'].problems == []


def test_lengths_of_frames_masks_and_backgrounds(data):
    (data.root / 'scuba/val/v10__0/img_00005.jpg').unlink()
    (data.root / 'hat/seg/archery/v11/000005.png').unlink()
    (data.root / 'hat/inp/bending back/v01/000005.jpg').unlink()
    scuba, scene, human, swap = only(data.problems(sample=0), 'scuba-vqgan', 'hat-scene-only',
                                     'hat-human-only', 'hat-far/1')
    assert scuba.endswith('val/v10__0: 4 frames, 5 are listed')
    assert scene.endswith('bending back/v01: 4 frames, 5 are listed')
    assert human.endswith('archery/v11: 5 frames, 4 masks')
    assert swap.startswith('4 sequences')
    # as the person of a pair and as its background
    for text in ('archery/v11: 5 frames, 4 masks',
                 'bending back/v01: 5 inpainted frames of the background, 4 masks',
                 'archery/v11: 4 inpainted frames of the background, 5 are listed',
                 'archery/v11: 4 inpainted frames of the background, 5 masks'):
        assert text in swap


def test_numbering_and_empty_folders(data):
    folder = data.root / 'scuba/val/v00__0'
    (folder / 'img_00005.jpg').rename(folder / 'img_00000.jpg')
    for path in (data.root / 'scuba/val/v01__0').iterdir():
        path.unlink()
    text, = only(data.problems(sample=0), 'scuba-vqgan')
    assert f'the 5 frames in {folder} are not numbered from 1 to 5' in text
    assert 'v01__0 holds no file named like img_00001.jpg' in text
    assert 'val/v01__0: 0 frames, 5 are listed' in text


@pytest.mark.parametrize('name, old, new, splits, message', [
    ('val.txt', 'v00_val.mp4 0', 'v00_val.mp4', ('validation', 'seen'), "line 1: label is"),
    ('val.txt', 'v00_val.mp4 0', 'v00_val.mp4 2', ('validation', 'seen'),
     'label 2 is out of range'),
    ('scuba.csv', '__0 5 0', '__0 0 0', ('scuba-vqgan', ), 'not a positive integer'),
    ('hat.csv', 'archery/v10 5 1\n', 'archery/v10 5 1\n' * 2,
     ('hat-scene-only', 'hat-human-only'), 'was already listed in line 4'),
    ('labels.csv', '1,archery', '', ('hat-scene-only', 'hat-human-only', 'hat-far/1'),
     'class names'),
])
def test_bad_lists_do_not_hide_the_other_splits(data, name, old, new, splits, message):
    data.change(name, old, new, 1)
    for text in only(data.problems(), *splits):
        assert message in text


def test_a_missing_list_and_a_pickle_that_runs_code(data):
    (data.root / 'train.txt').unlink()
    (data.root / 'far.pickle').write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    missing, refused = only(data.problems(), 'training', 'hat-far/1')
    assert 'list file not found' in missing and 'os.system' in refused


def test_classes_that_are_mixed_up_within_a_split(data):
    data.change('train.txt', 'archery/v11_train.mp4 1', 'archery/v11_train.mp4 0')
    text, = only(data.problems(), 'training')
    assert text == ("classes are mixed up: archery/v11_train has the label 0, others of "
                    "'archery' 1")


def test_one_folder_of_several_classes_is_no_class():
    infos = [dict(video_id=f'val/{i}', label=int(i > 4)) for i in range(6)]
    labels, conflicts = label_map(infos, {})
    assert conflicts == [] and ('class', 'val') not in labels and labels['video', '5'] == 1
    one = dict(video_id='other/7', label=3)
    labels, conflicts = label_map([*infos, one], {})
    assert labels['class', 'val'] == 0 and len(conflicts) == 1
    assert ('class', 'other') not in labels  # of one video


def test_lists_against_the_class_names(data):
    data.change('hat.csv', ' 1', ' 7')
    data.change('hat.csv', ' 0', ' 1')
    data.change('hat.csv', ' 7', ' 0')
    for text in only(data.problems(), 'hat-scene-only', 'hat-human-only'):
        assert "'archery' is 0 in the list, 1 among the class names" in text
        assert "'bending back' is 1 in the list, 0 among the class names" in text


def test_labels_that_differ_between_splits(data):
    (data.root / 'val.txt').write_text('\n'.join(
        f'{name}/v{label}{i}_val.mp4 {1 - label}' for label, name in enumerate(CLASSES)
        for i in range(VIDEOS)))
    reports = data.check()
    assert not any(report.problems for report in reports.values())
    text, = compare_label_maps({name: report.labels for name, report in reports.items()})
    assert text.startswith('2 of the class names have different labels in different splits: ')
    assert "'archery' is 1 in training, 0 in validation" in text
    # videos without class folders
    text, = compare_label_maps(dict(seen={('video', 'a'): 3}, scuba={('video', 'a'): 4},
                                    other={('video', 'b'): 3}))
    assert text == ("1 of the video names have different labels in different splits: 'a' is "
                    '3 in seen, 4 in scuba')


def test_classes_without_videos(data):
    for name in ('train.txt', 'val.txt'):
        lines = (data.root / name).read_text().splitlines()
        (data.root / name).write_text('\n'.join(lines[:VIDEOS]))
    reports = data.check()
    assert reports['training'].problems == ['1 action classes have no video: 1']
    assert reports['seen'].problems == []
    assert reports['seen'].notes == ['1 action classes have no video: 1']
    # what is published holds, in training, too
    assert expected_of('diving48', 'training').classes == 47
    reports = data.check('hmdb51')
    assert '1 action classes occur, published: 51' in reports['validation'].problems
    assert '3 videos are listed, published: 1,530' in reports['validation'].problems


def test_class_names_that_are_missing(data):
    for name in ('hat.csv', 'labels.csv'):
        lines = (data.root / name).read_text().splitlines()
        (data.root / name).write_text('\n'.join(lines[:len(lines) // 2]))
    (data.root / 'far.pickle').write_bytes(pickle.dumps(
        {'bending back/v00': ['bending back/v01', FRAMES, 0]}))
    for text in only(data.problems(), 'hat-scene-only', 'hat-human-only', 'hat-far/1'):
        assert text == 'labels.csv names 1 of 2 classes'


def test_other_datasets_are_refused_by_name(data):
    config = Config.fromfile(str(data.config)).train_dataloader.dataset.to_dict()
    report = Checker().check_split('training', dict(config, type='VideoDataset'))
    assert 'a VideoDataset cannot be checked' in report.problems[0]
    report = Checker().check_split('training', dict(config, no_such_option=1))
    assert 'no_such_option' in report.problems[0]


def test_the_tool(monkeypatch, capsys, data):
    path = data.root.parent / 'report.json'
    command = ['data/check_dataset.py', data.config, '--json', path]
    assert run_tool(monkeypatch, *command) is None
    printed = capsys.readouterr().out
    assert 'no problem in 7 splits' in printed and 'hat-scene-only' in printed
    assert '│ unknown ' in printed  # of no published data set
    assert json.loads(path.read_text())['splits'][3]['videos'] == 6

    (data.root / 'hat/seg/archery/v11/000005.png').unlink()
    (data.root / 'videos/archery/v11_train.mp4').unlink()
    assert run_tool(monkeypatch, *command, '--dataset', 'ucf101', '--seed', 1) == 1
    printed = capsys.readouterr().out
    assert 'PROBLEM: hat-human-only' in printed and '5 frames, 4 masks' in printed
    assert 'PROBLEM: scuba-vqgan' in printed and 'published: 4,550' in printed
    report = json.loads(path.read_text())
    splits = {split['split']: split for split in report['splits']}
    assert splits['training']['missing'] == [str(data.root / 'videos/archery/v11_train.mp4')]
    assert splits['training']['expected'] == dict(videos=[9537], classes=101, scene_classes=None)
    assert (report['dataset'], report['seed']) == ('ucf101', 1)

    assert run_tool(monkeypatch, *command, '--splits', 'seen', 'hat-scene-*') is None
    assert [split['split'] for split in json.loads(path.read_text())['splits']] \
        == ['seen', 'hat-scene-only']
    moved = data.root.rename(data.root.with_name('moved'))
    assert run_tool(monkeypatch, *command, '--splits', 'seen', '--data-root', moved) is None


@pytest.mark.parametrize('options, message', [
    (['--splits', 'hat-close/*'], "unknown split(s) ['hat-close/*']; accepted: ["),
    (['--dataset', 'ucf'], "--dataset 'ucf' is unknown; accepted: ucf101, "),
])
def test_the_tool_names_bad_options(monkeypatch, data, options, message):
    error = run_tool(monkeypatch, 'data/check_dataset.py', data.config, *options)
    assert error.startswith('error: ') and message in error


def test_bad_numbers_and_configs(monkeypatch, capsys, data):
    assert run_tool(monkeypatch, 'data/check_dataset.py', data.config, '--sample', -1)
    assert '--sample -1: accepted is an integer >= 0' in capsys.readouterr().err
    assert 'config not found' in run_tool(monkeypatch, 'data/check_dataset.py', 'no.py')


@pytest.mark.parametrize('name', EXPECTED)
def test_published_counts_are_of_splits_that_the_config_has(root, name):
    from fnmatch import filter as matching
    splits = split_configs(Config.fromfile(str(root / f'configs/_base_/datasets/{name}.py')))
    for pattern in EXPECTED[name]:
        assert matching(splits, pattern), pattern
    assert expected_of(name, 'no-such-split') == Expected()


@pytest.mark.skipif(not FILELISTS.is_dir(), reason='the golden lists are not here')
def test_golden_lists_have_the_published_counts():
    kept = json.loads((FILELISTS / '_provenance.json').read_text())
    total = {name: entry.get('lines_total', entry.get('entries_total'))
             for name, entry in kept.items()}
    for data, split, name, less in (
            ('ucf101', 'training', 'ucf101/train.csv', 0),
            ('ucf101', 'seen', 'ucf101/test.csv', 0),
            ('ucf101', 'scuba-vqgan', 'scuba/ucf101/test.csv', 0),
            ('ucf101', 'scufo-sinusoid', 'scuba/ucf101/test.csv', 0),
            ('ucf101', 'hat-scene-only', 'hat/ucf101/list.csv', 0),
            ('ucf101', 'hat-random/1', 'hat/ucf101/rand/actionswap_rand_1.pickle', 0),
            ('ucf101', 'hat-close/1', 'hat/ucf101/close/actionswap_close_1.pickle', 0),
            ('ucf101', 'hat-far/1', 'hat/ucf101/far/actionswap_far_1.pickle', 0),
            ('kinetics400', 'seen', 'k400/val.csv', 0),
            ('kinetics400', 'scuba-places365', 'scuba/kinetics/test.csv', 0),
            ('kinetics400', 'hat-human-only', 'hat/kinetics/list.csv', 0),
            ('kinetics400', 'hat-far/1', 'hat/kinetics/far/actionswap_far_1.pickle', 0),
            ('hvu', 'training', 'hvu/train.csv', 0), ('hvu', 'seen', 'hvu/val_seen.csv', 0),
            ('hvu', 'unseen', 'hvu/val_unseen.csv', 0),
            ('diving48', 'test', 'diving48/test.csv', 0),
            ('mini_ssv2', 'test', 'mini_ssv2/test.csv', 0),
            ('hmdb51', 'test', 'hmdb51/test1.csv', 0),
            ('activitynet', 'training', 'activitynet/train.csv', 8)):
        assert expected_of(data, split).videos == (total[name] - less, ), (data, split)
    assert total['places365/val.csv'] in expected_of('places365', 'val').videos
