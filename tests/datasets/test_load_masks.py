"""Masks from files stay with their frames through crops, resizes and flips."""
import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS, TRANSFORMS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmengine.runner import set_random_seed
from tiny_runs import ROOT

from devias_mm.augments import DebiasDataPreprocessor, composite
from devias_mm.builders.puppets import PRESETS, PuppetsWriter
from devias_mm.datasets.transforms import LoadMasks

CONFIG = 'configs/actor_cutmix/actor-cutmix_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py'
FRAMES, HEIGHT, WIDTH = 10, 40, 56
RANDOM = [dict(type='RandomResizedCrop', area_range=(.3, .9)),
          dict(type='Resize', scale=(32, 24), keep_ratio=False),
          dict(type='Flip', flip_ratio=.5)]


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmaction')


@pytest.fixture
def masks():
    """Other blobs in each frame, soft at the edge."""
    noise = np.random.default_rng(0).random((FRAMES, HEIGHT, WIDTH)).astype(np.float32)
    smooth = np.stack([cv2.GaussianBlur(frame, (0, 0), 3) for frame in noise])
    low, high = np.quantile(smooth, (.4, .6))
    return (255 * np.clip((smooth - low) / (high - low), 0, 1)).astype(np.uint8)


@pytest.fixture(params=['png', 'npz'])
def files(request, masks, tmp_path):
    """Arguments of LoadMasks for both kinds of files of the video ``class/v``."""
    if request.param == 'npz':
        (tmp_path / 'class').mkdir()
        np.savez_compressed(tmp_path / 'class' / 'v.npz', masks=masks)
        return dict(data_root=str(tmp_path), path='{video_id}.npz')
    (tmp_path / 'seg' / 'class' / 'v').mkdir(parents=True)
    for number, mask in enumerate(masks, 1):
        cv2.imwrite(str(tmp_path / 'seg' / 'class' / 'v' / f'{number:06d}.png'), mask)
    return dict(data_root=str(tmp_path), path='seg/{video_id}/{frame:06d}.png')


def results(masks, indices, clip_len):
    """What ReadClip leaves: frames whose red channel is their mask."""
    rest = np.random.default_rng(1).integers(0, 255, (*masks.shape, 2), dtype=np.uint8)
    frames = np.concatenate([masks[..., None], rest], -1)[indices]
    return dict(imgs=list(frames), frame_inds=np.array(indices), clip_len=clip_len,
                num_clips=len(indices) // clip_len, video_id='class/v', modality='RGB',
                img_shape=masks.shape[1:], original_shape=masks.shape[1:], label=0)


def run(steps, data):
    for step in steps:
        data = (TRANSFORMS.build(step) if isinstance(step, dict) else step)(data)
    return data


@pytest.mark.parametrize('seed', range(6))
def test_random_geometry_moves_frame_and_mask_alike(files, masks, seed):
    set_random_seed(seed)
    indices = [0, 2, 3, 7, 4, 9]
    data = run([LoadMasks(geometry=RANDOM, **files)], results(masks, indices, 3))
    assert data['masks'].shape == (2, 3, 24, 32) and data['masks'].dtype == torch.uint8
    red = np.stack(data['imgs'])[..., 0].reshape(2, 3, 24, 32)
    assert np.array_equal(data['masks'].numpy(), red)
    assert all(img.shape == (24, 32, 3) for img in data['imgs'])
    # and the frames are those without masks
    set_random_seed(seed)
    plain = run(RANDOM, results(masks, indices, 3))
    assert np.array_equal(np.stack(plain['imgs']), np.stack(data['imgs']))
    assert plain.get('flip') == data.get('flip')


def test_views_are_in_the_order_of_the_inputs(files, masks):
    geometry = [dict(type='Resize', scale=(-1, 32)), dict(type='ThreeCropViews', crop_size=32)]
    data = run([LoadMasks(geometry=geometry, **files),
                dict(type='FormatShape', input_format='NCTHW'),
                dict(type='PackActionInputs', algorithm_keys=('masks', ))],
               results(masks, [0, 1, 2, 5, 6, 7], 3))
    assert data['inputs'].shape == (6, 3, 3, 32, 32)
    assert torch.equal(data['data_samples'].masks, data['inputs'][:, 0])


def test_without_geometry_and_of_another_size(files, masks):
    data = run([LoadMasks(**files)], results(masks, [4, 1], 2))
    assert np.array_equal(data['masks'][0].numpy(), masks[[4, 1]])
    large = results(np.stack([cv2.resize(mask, (WIDTH * 2, HEIGHT * 2)) for mask in masks]),
                    [4, 1], 2)
    data = run([LoadMasks(**files)], large)
    red = np.stack(data['imgs'])[..., 0]
    assert np.abs(data['masks'][0].numpy().astype(int) - red).mean() < 2
    with pytest.raises(ValueError, match=r"56 x 40 .*'class/v', 40 x 56: their shapes differ"):
        run([LoadMasks(**files)], results(masks.transpose(0, 2, 1), [4, 1], 2))


def test_boolean_masks_are_0_and_255(masks, tmp_path):
    np.savez(tmp_path / 'v.npz', masks=masks > 127)
    data = run([LoadMasks('{name}.npz', data_root=str(tmp_path))], results(masks, [3, 8], 2))
    assert np.array_equal(data['masks'][0].numpy(), 255 * (masks[[3, 8]] > 127))


def test_errors(files, masks, tmp_path):
    data = results(masks, [0, 1], 2)
    with pytest.raises(FileNotFoundError, match=r"class/w.*tools/data/make_masks\.py"):
        LoadMasks(**files)(dict(data, video_id='class/w'))
    error = ValueError if files['path'].endswith('npz') else FileNotFoundError
    with pytest.raises(error, match='holds 10 masks, but frame 10|000011'):
        LoadMasks(**files)(dict(data, frame_inds=np.array([0, 10])))
    for kind in ('npz', 'png'):
        (tmp_path / f'bad.{kind}').write_bytes(b'no file of that kind')
    for path in ('{name}.npz', '{name}.png?{frame}'):
        with pytest.raises(ValueError, match=r'bad\.(npz|png).*make it again'):
            LoadMasks(path, data_root=str(tmp_path)).read_image(str(tmp_path / 'bad.png')) \
                if 'png' in path else LoadMasks(path, data_root=str(tmp_path))(
                    dict(data, video_id='bad'))
    np.savez(tmp_path / 'float.npz', masks=np.zeros((10, 4, 4)))
    with pytest.raises(ValueError, match='float64'):
        LoadMasks('{name}.npz', data_root=str(tmp_path))(dict(data, video_id='float'))
    for path in ('masks.npz', '{video_id}.png'):
        with pytest.raises(ValueError, match='path must contain'):
            LoadMasks(path)
    with pytest.raises(ValueError, match="must not hold .'ColorJitter'.*Accepted.*Flip"):
        LoadMasks('{name}.npz', geometry=[dict(type='ColorJitter')])


@pytest.fixture(scope='module')
def puppets(tmp_path_factory):
    writer = PuppetsWriter(PRESETS['tiny'], tmp_path_factory.mktemp('puppets'))
    writer.run()
    return writer.root


def test_true_masks_of_puppets_give_aligned_composites(puppets):
    """Where a video differs from its clean background, cropped alike, there its mask is."""
    cfg = Config.fromfile(str(ROOT / CONFIG))
    loader = cfg.train_dataloader.dataset
    loader.pipeline[1].data_root = str(puppets)
    clips = {}
    for kind in ('videos', 'backgrounds'):
        data = DATASETS.build(dict(loader, data_root=str(puppets), data_prefix=dict(video=kind)))
        set_random_seed(3)
        batch = pseudo_collate([data[i] for i in range(6)])
        batch = DebiasDataPreprocessor()(batch, training=True)
        clips[kind] = batch['inputs'].flatten(0, 1) / 255
        targets = batch['targets']
    own, scenes, masks = clips['videos'], clips['backgrounds'], targets.masks
    assert masks.shape == own[:, 0].shape and masks.max() == 1
    assert torch.equal(targets.clip_mask, masks.amax(1))
    figure = (own - scenes).abs().amax(1)
    inside, outside = figure[masks > .9], figure[masks < .1]
    assert inside.mean() > 8 * outside.mean()
    # composited onto its own empty scene, the clip is whole again; wrong masks lose the figure
    error = (composite(own, scenes, masks) - own).abs().mean()
    for wrong in (masks.flip(-1), masks.roll(1, 0), masks.flip(1)):
        assert error < .75 * (composite(own, scenes, wrong) - own).abs().mean()
