"""RandAugment and repeated augmentation."""
import numpy as np
import pytest
import torch
from mmaction.datasets import repeat_pseudo_collate
from mmaction.registry import TRANSFORMS
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from PIL import Image

from devias_mm.augments import DebiasDataPreprocessor
from devias_mm.datasets.transforms import RandAugment, RepeatAugment
from devias_mm.datasets.transforms.rand_augment import GEOMETRY, OPERATIONS, apply_operation


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmaction')


def frame(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (24, 32, 3), dtype=np.uint8)


def augment(seed, imgs, **kwargs):
    np.random.seed(seed)
    return RandAugment(**kwargs)(dict(imgs=imgs))['imgs']


def test_all_frames_get_the_same_and_a_seed_repeats_it():
    still = [frame()] * 4
    clips = [augment(seed, still) for seed in range(20)]
    for clip in clips:
        assert all(np.array_equal(image, clip[0]) for image in clip)
        assert clip[0].shape == still[0].shape
        assert clip[0].dtype == np.uint8
    assert len({clip[0].tobytes() for clip in clips}) > 10
    for seed, clip in enumerate(clips):
        assert np.array_equal(augment(seed, still)[0], clip[0])
    assert np.array_equal(still[0], frame())  # not in place


@pytest.mark.parametrize('name', OPERATIONS)
def test_larger_magnitudes_change_more(name):
    """``inc1``; what has no magnitude changes the image at any."""
    # slopes, so that a small displacement is a small change, and a texture to sharpen
    rows, columns = np.mgrid[:48, :48]
    slopes = np.stack([60 + 2 * rows, 60 + 2 * columns, 200 - rows - columns], -1)
    image = Image.fromarray((slopes + 9 * (columns % 2)[..., None]).astype(np.uint8))

    def change(strength):
        moved = apply_operation(image, name, strength, (128, ) * 3)
        return np.abs(np.asarray(moved, float) - np.asarray(image, float)).mean()

    none, weak, strong = change(0), change(.3), change(.9)
    if name in ('AutoContrast', 'Equalize', 'Invert'):
        assert none == weak == strong > 0
    else:
        assert none <= weak < strong


def test_draws():
    np.random.seed(0)
    draws = [RandAugment().draw() for _ in range(2000)]
    assert np.mean([len(draw) for draw in draws]) == pytest.approx(2, abs=.1)  # 4 x 0.5
    strengths = np.array([strength for draw in draws for _, strength in draw])
    assert np.abs(strengths).mean() == pytest.approx(.7, abs=.01)
    assert np.abs(strengths).std() == pytest.approx(.05, abs=.005)
    assert abs(np.sign(strengths).mean()) < .1
    assert {name for draw in draws for name, _ in draw} == set(OPERATIONS)


def test_masks_move_with_their_frames(monkeypatch):
    """A mask that is the frame's first channel stays it, wherever geometry alone was drawn."""
    frames = [frame(seed) for seed in range(4)]
    masks = torch.from_numpy(np.stack(frames)[..., 0].copy()).view(2, 2, 24, 32)
    for name in GEOMETRY:
        transform = RandAugment(fill=0)
        monkeypatch.setattr(transform, 'draw', lambda name=name: [(name, -.6), (name, .2)])
        results = transform(dict(imgs=frames, masks=masks))
        assert results['masks'].shape == masks.shape
        moved = np.stack(results['imgs'])[..., 0].reshape(masks.shape)
        assert (results['masks'].numpy() == moved).all()
        assert not torch.equal(results['masks'], masks)
    monkeypatch.setattr(transform, 'draw', lambda: [('Invert', .7)])
    assert torch.equal(transform(dict(imgs=frames, masks=masks))['masks'], masks)


@pytest.mark.parametrize('options', [dict(magnitude=11), dict(num_ops=0), dict(prob=2.),
                                     dict(magnitude_std=-1)])
def test_bad_options(options):
    with pytest.raises(ValueError, match=f'RandAugment.*{next(iter(options.values()))}'):
        RandAugment(**options)


class FirstChannelIsMask:
    """Stands for LoadMasks without files."""

    def __call__(self, results):
        masks = np.stack(results['imgs'])[..., 0].copy()
        results['masks'] = torch.from_numpy(masks)[None]
        return results


def sample(label, repeats, steps=()):
    """What the dataset gives for a video of label ``label``; its frames are all ``label``."""
    pipeline = Compose([RepeatAugment(repeats=repeats, transforms=[
        dict(type='Flip', flip_ratio=.5), *steps,
        dict(type='FormatShape', input_format='NCTHW'),
        dict(type='PackActionInputs', algorithm_keys=('scene_label', 'masks'),
             meta_keys=('video_id', ))])])
    image = np.full((8, 8, 3), 50 * label, np.uint8)
    image[:, :4] += 20
    return pipeline(dict(imgs=[image] * 4, label=label, scene_label=label + 1, clip_len=4,
                         num_clips=1, video_id=f'v{label}', modality='RGB', img_shape=(8, 8)))


def test_repeats_are_entries_of_the_batch_with_their_labels():
    np.random.seed(0)
    data = repeat_pseudo_collate([sample(label, 3, [FirstChannelIsMask()]) for label in (2, 0, 1)])
    preprocessor = DebiasDataPreprocessor(augments=[dict(type='SceneMix', ratio=1.)])
    batch = preprocessor(data, training=True)
    targets = batch['targets']
    assert batch['inputs'].shape == (9, 1, 3, 4, 8, 8)
    assert targets.action.tolist() == [2, 2, 2, 0, 0, 0, 1, 1, 1]
    assert [one.video_id for one in batch['data_samples']] == \
        [f'v{label}' for label in targets.action.tolist()]
    for label, clip, mask in zip(targets.action, data['inputs'], targets.masks):
        assert clip.max() == 50 * label + 20  # the clip of its label
        assert torch.equal(mask, clip[0, 0] / 255)  # and its mask, flipped as it was
    # each repeat has a draw of its own
    flipped = [bool(clip[0, 0, 0, 0, 0] < clip[0, 0, 0, 0, -1]) for clip in data['inputs']]
    assert len(set(flipped[:3]) | set(flipped[3:6])) == 2


def test_repeats_have_their_own_rand_augment():
    np.random.seed(1)
    clips = [one['inputs'] for one in sample(1, 4, [TRANSFORMS.build(dict(type='RandAugment'))])]
    assert len({clip.numpy().tobytes() for clip in clips}) > 2
    for clip in clips:  # the same frames
        assert torch.equal(clip, clip[:, :, :1].expand_as(clip))


def test_a_loader_that_does_not_flatten_is_an_error():
    with pytest.raises(ValueError, match="collate_fn=dict.type='repeat_pseudo_collate'"):
        DebiasDataPreprocessor()([[dict(inputs=[], data_samples=[])]] * 2, training=True)
    with pytest.raises(ValueError, match='at least 1, got 0'):
        RepeatAugment(transforms=[], repeats=0)
