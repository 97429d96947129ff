"""Images as clips, and the data sets of scene images."""
import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import set_random_seed
from tiny_runs import ROOT, SHARED

from devias_mm.datasets.transforms import ReadStillClip, VideoReadError

SAMPLER = dict(type='SampleFrames', clip_len=4, frame_interval=1)
DATASETS_OF_IMAGES = ROOT / 'configs' / '_base_' / 'datasets'


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmaction')


def write_image(path, colour, size=(60, 80)):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.full((*size, 3), colour, np.uint8)[..., ::-1].copy()
    image[:, :10] = 0
    cv2.imwrite(str(path), image)


def info(path):
    return dict(filename=str(path), start_index=0, modality='RGB')


@pytest.mark.parametrize('test_mode', [False, True])
def test_the_image_is_repeated(tmp_path, test_mode):
    write_image(tmp_path / 'a.png', (10, 120, 240))
    results = ReadStillClip(dict(SAMPLER, test_mode=test_mode, num_clips=2))(
        info(tmp_path / 'a.png'))
    assert results['frame_inds'].tolist() == [0] * 8
    assert results['clip_len'] == 4 and results['num_clips'] == 2
    assert len(results['imgs']) == 8
    assert all(img is results['imgs'][0] for img in results['imgs'])
    assert results['imgs'][0][30, 40].tolist() == [10, 120, 240]  # RGB
    assert results['img_shape'] == (60, 80)


def test_transforms_run_once_and_views_stay_together(tmp_path):
    write_image(tmp_path / 'a.png', (10, 120, 240))
    calls = []
    results = ReadStillClip(SAMPLER, [
        lambda results: calls.append(len(results['imgs'])) or results,
        dict(type='ThreeCropViews', crop_size=60)])(info(tmp_path / 'a.png'))
    assert calls == [1] and len(results['imgs']) == 12
    dark = [bool((img == 0).all(-1).all(0).any()) for img in results['imgs']]
    assert dark == [True] * 4 + [False] * 8  # the dark edge is in the first crop alone


def test_bad_images(tmp_path):
    (tmp_path / 'a.png').write_bytes(b'no image')
    with pytest.raises(VideoReadError, match='frame a.png cannot be decoded'):
        ReadStillClip(SAMPLER)(info(tmp_path / 'a.png'))
    with pytest.raises(VideoReadError, match='frame b.png is missing'):
        ReadStillClip(SAMPLER)(info(tmp_path / 'b.png'))


def build(name, loader, root):
    cfg = Config.fromfile(str(DATASETS_OF_IMAGES / f'{name}.py'))
    return DATASETS.build(dict(cfg[loader].dataset, data_root=str(root))), cfg


def test_places365_list_with_crlf(tmp_path):
    (tmp_path / 'annotations').mkdir()
    for folder, split in (('train', 'train'), ('val', 'val')):
        lines = []
        for i in range(3):
            write_image(tmp_path / folder / f'a b/{i}.jpg', (40 * i, 100, 200))
            lines.append(f'a b/{i}.jpg,{300 + i}\r\n')
        (tmp_path / 'annotations' / f'{split}.csv').write_bytes(''.join(lines).encode())
    set_random_seed(0)
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        data, cfg = build('places365', loader, tmp_path)
        assert len(data) == 3 and cfg.num_classes == 365
        sample = data[2]
        clip = sample['inputs']
        assert clip.shape == (1, 3, 16, 224, 224) and clip.dtype == torch.uint8
        assert (clip == clip[:, :, :1]).all()
        assert abs(int(clip[0, 0].median()) - 80) < 6
        assert sample['data_samples'].gt_label.tolist() == [302]
        assert sample['data_samples'].video_id == 'a b/2'
    (tmp_path / 'train' / 'a b/0.jpg').unlink()
    with pytest.raises(FileNotFoundError, match=r'0\.jpg \(line 1\)'):
        build('places365', 'train_dataloader', tmp_path)


def test_sun397_list(tmp_path):
    (tmp_path / 'annotations').mkdir()
    write_image(tmp_path / 'SUN397/a/abbey/sun_x.jpg', (0, 100, 200))
    (tmp_path / 'annotations/test.txt').write_text('a/abbey/sun_x.jpg 396\n')
    data, cfg = build('sun397', 'test_dataloader', tmp_path)
    assert data[0]['data_samples'].gt_label.tolist() == [396]
    assert list(cfg.test_splits) == ['val'] == list(cfg.test_cfg.splits)


@pytest.mark.skipif(not SHARED.is_dir(), reason='the published list is not here')
def test_published_places365_list_golden():
    path = SHARED / 'golden' / 'filelists' / 'places365' / 'val.csv'
    cfg = Config.fromfile(str(DATASETS_OF_IMAGES / 'places365.py'))
    data = DATASETS.build(dict(cfg.val_dataloader.dataset, ann_file=str(path), check_files=False))
    lines = path.read_bytes().decode().split()
    assert len(data) == len(lines) == 60
    for i, line in enumerate(lines):
        name, label = line.split(',')
        item = data.get_data_info(i)
        assert item['filename'].endswith(f'/{name}') and item['label'] == int(label)
