"""The shipped dataset configs read real files into the shapes that they promise."""
from pathlib import Path

import pytest
import torch
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from tiny_runs import ROOT

REAL = Path(__file__).resolve().parents[3] / 'shared' / 'real_clips'
FOLDER = ROOT / 'configs' / '_base_' / 'datasets'


def build(loader, **overrides):
    init_default_scope('mmaction')
    return DATASETS.build(dict(loader.dataset, **overrides))


def test_puppets(tiny_data):
    cfg = Config.fromfile(str(FOLDER / 'puppets.py'))
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        sample = build(loader, data_root=str(tiny_data))[0]
        assert sample['inputs'].shape == (1, 3, 8, 48, 48)
        assert sample['data_samples'].background_label >= 0
    assert list(cfg.test_splits) == ['seen', 'unseen', 'unseen-texture', 'scene-only',
                                     'human-only']
    data = build(cfg.test_dataloader, data_root=str(tiny_data))
    assert torch.equal(data[1]['inputs'], data[1]['inputs'])  # nothing random in a test


@pytest.mark.skipif(not REAL.is_dir(), reason='the real clips are not here')
@pytest.mark.parametrize('name', ['ucf101', 'kinetics400'])
def test_real_videos(tmp_path, name):
    cfg = Config.fromfile(str(FOLDER / f'{name}.py'))
    (tmp_path / 'list.txt').write_text('cleaning_pool_part.mp4 1\narm_wrestling.mp4 0\n')
    files = dict(data_root='', ann_file=str(tmp_path / 'list.txt'),
                 data_prefix=dict(video=str(REAL)))
    for loader, views in ((cfg.train_dataloader, 1), (cfg.val_dataloader, 1),
                          (cfg.test_dataloader, 6)):
        sample = build(loader, **files)[1]
        assert sample['inputs'].shape == (views, 3, 16, 224, 224)
        assert sample['inputs'].dtype == torch.uint8
        assert sample['data_samples'].video_id == 'arm_wrestling'
    assert cfg.num_classes == dict(ucf101=101, kinetics400=400)[name]


def test_clips_of_16x1_are_of_the_same_files():
    names = [path.stem for path in FOLDER.glob('*_16x1.py')]
    assert len(names) >= 4
    for name in names:
        clips = Config.fromfile(str(FOLDER / f'{name}.py'))
        if name == 'mini_kinetics200_16x1':  # the paper's validation set
            val, test = clips.val_dataloader.dataset, clips.test_dataloader.dataset
            assert val.ann_file == test.ann_file == 'annotations/val.csv'
            continue
        whole = Config.fromfile(str(FOLDER / f"{name.removesuffix('_16x1')}.py"))
        assert whole.data_root == clips.data_root, name
        train, val, test = (clips[f'{loader}_dataloader'].dataset.ann_file
                            for loader in ('train', 'val', 'test'))
        assert test == whole.test_dataloader.dataset.ann_file, name
        source = Path(whole.train_dataloader.dataset.ann_file)
        # no test video decides on the learning rate: names as make_label_subset.py writes
        assert [Path(file).name for file in (val, train)] == [
            f'{source.stem}_{part}pct_seed0.txt' for part in ('held10', 'rest90')]
