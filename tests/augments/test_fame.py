"""FAME's masks against those of the published implementation."""
import numpy as np
import pytest
import torch

from devias_mm.augments import FAMEMasks, composite
from devias_mm.augments.fame import colour_bins, largest, normalise
from devias_mm.layers import pool_masks
from devias_mm.structures import ClipTargets

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1, 1)


def load(golden, name):
    return np.load(golden / 'fame' / f'{name}.npz', allow_pickle=False)


def clips_of(arrays) -> torch.Tensor:
    return torch.from_numpy(arrays['clip_u8']).float() / 255


@pytest.mark.parametrize('name, blur, beta', [
    ('masks_112', 11, 30), ('masks_112', 11, 50), ('masks_224', 11, 30), ('masks_224', 11, 50),
    ('masks_224', 23, 30), ('masks_224', 23, 50)])
def test_masks_parity(golden, name, blur, beta, parity):
    arrays = load(golden, name)
    # the default size is a tenth of the frame: 11 at 112 pixels, 23 at 224
    default = blur == {'masks_112': 11, 'masks_224': 23}[name]
    fame = FAMEMasks(tau=beta / 100, blur_size=None if default else blur)
    clip_mask, masks = fame.compute(clips_of(arrays))
    grid = (masks.shape[1], masks.shape[2] // 16, masks.shape[3] // 16)
    for ours, kind in ((clip_mask[:, None], 'clip'), (masks, 'per_frame')):
        expected = arrays[f'mask_{kind}_k{blur}_beta{beta}'].reshape(ours.shape)
        assert (ours.sum((-2, -1)) == int(beta / 100 * ours[0, 0].numel())).all()
        parity(f'mask_{kind}', ours, expected, 0.003, 'share')
        assert (ours.numpy() != expected).mean((-2, -1)).max() <= 0.01
        pooled = pool_masks(ours, (ours.shape[1], *grid[1:])).flatten(1)
        parity(f'pooled_{kind}', pooled, arrays[f'pooled_{kind}_k{blur}_beta{beta}'], 0.06)


@pytest.mark.parametrize('name, blur', [('masks_112', 11), ('masks_224', 23)])
def test_steps_parity(golden, name, blur, parity):
    arrays, fame = load(golden, name), FAMEMasks()
    clips = clips_of(arrays)
    bins = colour_bins(clips.mean(2))
    parity('color_bin', bins, arrays['color_bin'], 0.003, 'share')
    motion = normalise(fame.blur((clips[:, :, 1:] - clips[:, :, :-1]).abs().sum(1).mean(1)))
    parity('motion_sub', motion[:, ::2, ::2], arrays[f'motion_sub_k{blur}'], 1e-5)
    soft = normalise(fame.blur(fame.colour_ratio(motion, bins[:, None])[:, 0]))
    parity('soft_sub', soft[:, ::2, ::2], arrays[f'soft_sub_k{blur}'], 0.04)


def test_forward_parity(golden, parity):
    """The whole published augmentation, whose draws are stored and whose order differs."""
    arrays = load(golden, 'forward_112')
    clips = clips_of(arrays)
    fame = FAMEMasks(tau=float(arrays['beta']))
    labels = torch.from_numpy(arrays['labels_in'])
    untouched, targets = fame(clips, ClipTargets(labels))
    assert untouched is clips
    mixed = arrays['uniform_draw'] < float(arrays['prob_aug'])
    assert 0 < mixed.sum() < len(mixed)  # both kinds occur
    output = composite(clips, clips[arrays['permutation']], targets.clip_mask)
    output = torch.where(torch.from_numpy(mixed).view(-1, 1, 1, 1, 1), output, clips)
    output = ((output - MEAN) / STD)[arrays['output_row_source']]
    off = (output[..., ::5, ::5] - torch.from_numpy(arrays['video_out_sub'])).abs() > 1e-5
    parity('video_out_sub off by 1e-5', off, torch.zeros_like(off), 0.005, 'share')
    order = arrays['output_row_source']
    assert (targets.action[order].numpy() == arrays['labels_out']).all()
    parity('pooled_clip', pool_masks(targets.clip_mask[:, None], (1, 7, 7)).flatten(1)[order],
           arrays['pooled_clip'], 0.1)
    parity('pooled_per_frame', pool_masks(targets.masks, (2, 7, 7)).flatten(1)[order],
           arrays['pooled_per_frame'], 0.1)


def moving_square(size: int = 32, frames: int = 8) -> torch.Tensor:
    """A red square that walks over grey noise, and where it is, ``(1, T, H, W)``."""
    clip = 0.4 + 0.1 * torch.rand(1, 1, 1, size, size).expand(1, 3, frames, -1, -1).clone()
    truth = torch.zeros(1, frames, size, size)
    for t in range(frames):
        truth[:, t, 10:18, 2 * t + 4:2 * t + 12] = 1.
        clip[:, :, t, 10:18, 2 * t + 4:2 * t + 12] = torch.tensor([0.9, 0.1, 0.1]).view(3, 1, 1)
    return clip, truth


def test_frame_colours_follow_the_figure():
    clip, truth = moving_square()
    fame = FAMEMasks(tau=0.0625, foreground_seed=0.1, background_seed=0.3, blur_size=3,
                     colours='frame')
    _, masks = fame.compute(clip)
    assert masks.shape == truth.shape
    assert (masks * truth).sum() / truth.sum() > 0.9


def test_each_clip_has_its_own_masks():
    """Neither histograms nor ranges are shared between the clips of a batch."""
    clips = torch.cat([moving_square()[0], torch.rand(1, 3, 8, 32, 32)])
    for colours in ('clip', 'frame'):
        fame = FAMEMasks(tau=0.2, colours=colours)
        together, alone = fame.compute(clips), [fame.compute(clip[None]) for clip in clips]
        for index, name in enumerate(('clip_mask', 'masks')):
            expected = torch.cat([masks[index] for masks in alone])
            assert torch.equal(together[index], expected), name


def test_frame_pairs():
    """Mask t is of frames 2t and 2t + 1: only the third pair moves."""
    clips = torch.rand(1, 3, 1, 32, 32).repeat(1, 1, 8, 1, 1) * 0.2
    clips[:, :, 5, 20:30, 2:12] += 0.7
    _, masks = FAMEMasks(tau=0.1, blur_size=3).compute(clips)
    assert masks.shape == (1, 4, 32, 32)
    still = masks[0, [0, 1, 3]]
    assert torch.equal(still, still[:1].expand(3, -1, -1))
    assert masks[0, 2, 20:30, 2:12].mean() > still[:, 20:30, 2:12].mean() + 0.3


def test_a_still_clip_gives_masks_without_nan():
    _, masks = FAMEMasks().compute(torch.full((1, 3, 4, 16, 16), 0.5))
    assert torch.isfinite(masks).all()
    assert (masks.sum((-2, -1)) == 128).all()


def test_largest():
    maps = torch.tensor([[[3., 1.], [2., 5.]], [[0., 0.], [0., 0.]]])
    assert largest(maps, 2)[0].tolist() == [[1., 0.], [0., 1.]]
    assert largest(maps, 2)[1].sum() == 2  # ties: still exactly that many


@pytest.mark.parametrize('options, message', [
    (dict(tau=0.), r'tau must lie in \(0, 1\), got 0.0'), (dict(foreground_seed=1.), 'foreground'),
    (dict(background_seed=-0.1), 'background'), (dict(blur_size=4), 'odd, got 4'),
    (dict(colours='hsv'), "'clip' or 'frame', got 'hsv'")])
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        FAMEMasks(**options)


def test_the_blur_is_a_tenth_of_the_height():
    """One bright pixel becomes as many rows as columns: 5 of 48, whatever the width."""
    point = torch.zeros(1, 48, 96)
    point[0, 24, 48] = 1
    spread = FAMEMasks().blur(point)[0] > 0
    assert (int(spread.any(1).sum()), int(spread.any(0).sum())) == (5, 5)
