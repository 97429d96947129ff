"""The tool that labels scenes, and a training on its labels."""
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from tiny_runs import ROOT
from tool_calls import run_tool

from devias_mm.datasets.scene_labels import read_scene_labels, weights_sha256

CONFIG = '''
_base_ = ['{root}/configs/devias/devias_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py']
data_root = '{data}'
train_dataloader = dict(batch_size=4, num_workers=0, dataset=dict(data_root=data_root))
val_dataloader = dict(num_workers=0, dataset=dict(data_root=data_root))
test_pipeline = [dict(_base_.test_pipeline[0], sampler=dict(
    type='SampleFrames', clip_len=8, frame_interval=1, num_clips=2, test_mode=True)),
    *_base_.test_pipeline[1:]]
test_dataloader = dict(batch_size=3, num_workers=0, dataset=dict(
    data_root=data_root, pipeline=test_pipeline))
test_cfg = dict(splits=dict(
    _delete_=True, seen=dict(ann_file='annotations/seen.txt', scene_label_file='not/yet'),
    **{'un/1': dict(ann_file='annotations/unseen.txt')}))
model = dict(scene_teacher=dict(
    type='NaiveRecognizer', task='scene', num_classes=0, num_scene_classes=8,
    backbone=dict(type='ConvTokenEncoder', input_size=(8, 48, 48), widths=(8, 12, 24),
                  num_heads=3)))
'''


@pytest.fixture(scope='module')
def setting(tmp_path_factory, tiny_data):
    """Folder with config file and checkpoint, config, and the teacher itself."""
    folder = tmp_path_factory.mktemp('labels')
    (folder / 'tiny.py').write_text(CONFIG.replace('{root}', str(ROOT)).replace(
        '{data}', str(tiny_data)))
    cfg = Config.fromfile(str(folder / 'tiny.py'))
    init_default_scope('mmaction')
    torch.manual_seed(3)
    teacher = MODELS.build(cfg.model.scene_teacher).eval()
    torch.nn.init.normal_(teacher.head.weight)
    with torch.no_grad():  # an untrained teacher says nearly the same of all clips
        scores = torch.stack([teacher.logits(clips)['scene'].mean(0)
                              for _, clips in clips_of(cfg, 'train')])
        factor = 2 / scores.std(0).mean()
        teacher.head.weight *= factor
        teacher.head.bias.copy_((teacher.head.bias - scores.mean(0)) * factor)
    torch.save(dict(state_dict=teacher.state_dict()), folder / 'teacher.pth')
    return folder, cfg, teacher


def clips_of(cfg, split):
    """Video id and normalised test views of all videos of a list."""
    data = DATASETS.build(dict(cfg.test_dataloader.dataset, ann_file=f'annotations/{split}.txt'))
    preprocessor = MODELS.build(dict(cfg.clip_preprocessor))
    for sample in (data[i] for i in range(len(data))):
        yield sample['data_samples'].video_id, preprocessor(pseudo_collate([sample]))['inputs'][0]


def run(monkeypatch, folder, *arguments, checkpoint=True):
    weights = [folder / 'teacher.pth'] if checkpoint else []
    return run_tool(monkeypatch, 'data/pseudo_label_scenes.py', folder / 'tiny.py', *weights,
                    '--work-dir', folder / 'work', *arguments)


@pytest.fixture(scope='module')
def labelled(setting):
    """Folder with the labels of two splits."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        for split in ('train', 'seen'):
            out = setting[0] / f'{split}.parquet'
            assert run(monkeypatch, setting[0], '--split', split, '--out', out) is None
    return setting[0]


@pytest.mark.parametrize('split, count', [('seen', 7), ('train', 8)])
def test_labels_are_the_mean_of_the_views(setting, labelled, split, count):
    _, cfg, teacher = setting
    labels = read_scene_labels(labelled / f'{split}.parquet', 8,
                               weights_sha256(teacher.state_dict())[:16])
    assert labels.metadata['split'] == split
    assert labels.metadata['list_file'] == f'{split}.txt'
    assert len(labels.metadata['config_hash']) == 64
    assert len(labels.rows) == count
    for video_id, clips in clips_of(cfg, split):
        assert len(clips) == 2
        with torch.no_grad():
            expected = teacher.logits(clips)['scene'].softmax(-1).mean(0)
        found = labels.probabilities[labels.rows[video_id]]
        np.testing.assert_allclose(found, expected, atol=2e-3)
    assert labels.probabilities.std(0).max() > .05  # so that another row would not do


def test_training_and_scoring_on_the_labels(setting, labelled, tmp_path):
    _, cfg, _ = setting
    for split in ('train', 'seen'):
        lines = Path(cfg.data_root, 'annotations', f'{split}.txt').read_text().splitlines()
        (tmp_path / f'{split}.txt').write_text(
            '\n'.join(' '.join(line.split()[:2]) for line in lines))
    columns = ('filename', 'label')
    data = DATASETS.build(dict(
        cfg.train_dataloader.dataset, columns=columns, ann_file=str(tmp_path / 'train.txt'),
        scene_label_file=str(labelled / 'train.parquet')))
    model = MODELS.build(dict(cfg.model, scene_teacher=None)).train()
    batch = model.data_preprocessor(pseudo_collate([data[i] for i in range(4)]), training=True)
    assert batch['targets'].scene.shape == (4, 8)
    assert model(**batch, mode='loss')['loss_scene'].isfinite()
    test = DATASETS.build(dict(
        cfg.test_dataloader.dataset, columns=columns, ann_file=str(tmp_path / 'seen.txt'),
        scene_label_file=str(labelled / 'seen.parquet')))
    labels = read_scene_labels(labelled / 'seen.parquet')
    for i in range(len(test)):
        sample = test[i]['data_samples']
        assert sample.scene_label == labels.probabilities[labels.rows[sample.video_id]].argmax()


def test_unreadable_videos_have_no_label(setting, monkeypatch, tmp_path, capsys):
    folder, cfg, _ = setting
    bad = tmp_path / 'data'
    (bad / 'annotations').mkdir(parents=True)
    (bad / 'videos').mkdir()
    (bad / 'annotations/seen.txt').write_text('00.mp4 0 0 0\nbad.mp4 1 1 1\n')
    (bad / 'videos/bad.mp4').write_bytes(b'no video')
    (bad / 'videos/00.mp4').symlink_to(f'{cfg.data_root}/videos/00.mp4')
    out = tmp_path / 'seen.parquet'
    assert run(monkeypatch, folder, '--split', 'seen', '--out', out, '--data-root', bad) is None
    assert 'unreadable, without a label: seen: bad:' in capsys.readouterr().out
    labels = read_scene_labels(out)
    assert np.isnan(labels.probabilities[1]).all()
    assert labels.probabilities[0].sum() == pytest.approx(1, abs=1e-2)


def test_one_command_labels_many_splits(setting, labelled, monkeypatch, tmp_path):
    out = tmp_path / 'scenes'
    assert run(monkeypatch, setting[0], '--split', 'train', '*', '--out', out) is None
    files = sorted(str(path.relative_to(out)) for path in out.rglob('*.parquet'))
    assert files == ['seen.parquet', 'train.parquet', 'un/1.parquet']  # '*': the test splits
    for split in ('train', 'seen'):
        alone = read_scene_labels(labelled / f'{split}.parquet')
        labels = read_scene_labels(out / f'{split}.parquet')
        np.testing.assert_array_equal(labels.probabilities, alone.probabilities)
        assert labels.metadata == alone.metadata
    labels = read_scene_labels(out / 'un/1.parquet')
    assert labels.metadata['list_file'] == 'unseen.txt' and len(labels.rows) == 4


def test_dry_run_writes_nothing(setting, monkeypatch, tmp_path, capsys):
    out = tmp_path / 'a.parquet'
    assert run(monkeypatch, setting[0], '--split', 'val', '--out', out, '--dry-run') is None
    text = capsys.readouterr().out
    assert 'nothing was labelled' in text and 'val: 4 videos' in text
    assert not out.exists()


def test_errors(setting, monkeypatch, tmp_path):
    folder = setting[0]
    out = tmp_path / 'a.parquet'
    for arguments, checkpoint, message in (
            (('--split', 'test', '--out', out), True, "accepted: ['seen', 'train', 'un/1', 'val']"),
            (('--split', 'seen', 'val', '--out', out), True, 'the splits are seen, val: name a'),
            (('--split', 'seen', '--out', out), False, 'random weights: give its CHECKPOINT'),
            (('--split', 'seen', '--out', out, '--cfg-options',
              'model.scene_teacher.num_scene_classes=9'), True, 'does not fit the model'),
            (('--split', 'seen', '--out', out, '--cfg-options',
              'model.scene_teacher.task=action', 'model.scene_teacher.num_classes=8'), True,
             'NaiveRecognizer predicts no scenes')):
        code = run(monkeypatch, folder, *arguments, checkpoint=checkpoint)
        assert str(code).startswith('error: ') and message in code, code
    assert not out.exists()
