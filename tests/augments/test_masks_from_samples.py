"""Masks that come with the samples reach the targets, row by row."""
import pytest
import torch
from mmaction.structures import ActionDataSample

from devias_mm.augments import DebiasDataPreprocessor


def batch(views=2):
    samples, clips = [], []
    for i in range(3):
        sample = ActionDataSample(metainfo=dict(video_id=f'clip{i}'))
        sample.set_gt_label(i)
        clip = torch.randint(256, (views, 3, 4, 8, 8), dtype=torch.uint8)
        sample.set_field(clip[:, 1].clone(), 'masks')  # the green channel is the mask
        samples.append(sample)
        clips.append(clip)
    return dict(inputs=clips, data_samples=samples)


def test_rows_are_those_of_the_clips():
    result = DebiasDataPreprocessor()(batch(), training=True)
    targets, green = result['targets'], result['inputs'].flatten(0, 1)[:, 1] / 255
    torch.testing.assert_close(targets.masks, green)
    torch.testing.assert_close(targets.clip_mask, green.amax(1))
    assert 'targets' not in DebiasDataPreprocessor()(batch(), training=False)


def test_augmentations_use_them():
    data = batch(views=1)
    mixed = DebiasDataPreprocessor(augments=[dict(type='SceneMix', ratio=1., mask='frame')])(
        data, training=True)
    clips = torch.stack(data['inputs']).flatten(0, 1).float()
    masks = clips[:, 1:2] / 255
    candidates = torch.stack([clips * masks + clips[j] * (1 - masks) for j in range(3)], 1)
    distance = (mixed['inputs'].flatten(0, 1)[:, None] - candidates).abs().amax((2, 3, 4, 5))
    assert (distance.amin(1) < 1e-3).all()


def test_masks_that_do_not_fit():
    data = batch()
    data['data_samples'][1].set_field(torch.zeros(2, 4, 6, 8, dtype=torch.uint8), 'masks')
    with pytest.raises(ValueError, match=r"'clip1'.*\(2, 4, 6, 8\).*2 view.*\[4, 8, 8\].*geom"):
        DebiasDataPreprocessor()(data, training=True)
    del data['data_samples'][1].masks
    with pytest.raises(ValueError, match="'clip1' has masks of the shape None"):
        DebiasDataPreprocessor()(data, training=True)
