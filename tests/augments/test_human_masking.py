"""Human masking: the right colour in the right place of the right frame."""
import pytest
import torch

from devias_mm.augments import has_human, mask_humans


def clips_and_masks():
    """Two clips of four frames, a 2 x 3 box that moves down, none in the second clip."""
    clips = torch.rand(2, 3, 4, 6, 8)
    masks = torch.zeros(2, 4, 6, 8)
    for frame in range(4):
        masks[0, frame, frame:frame + 2, 1:4] = 1.
    return clips, masks


def test_each_frame_gets_its_own_mean_colour():
    clips, masks = clips_and_masks()
    before = clips.clone()
    output = mask_humans(clips, masks)
    assert torch.equal(clips, before), 'the input is changed in place'
    for frame in range(4):
        inside = masks[0, frame] > 0
        colour = before[0, :, frame].flatten(1).mean(1)  # of the whole frame, per channel
        filled = output[0, :, frame][:, inside]
        torch.testing.assert_close(filled, colour[:, None].expand_as(filled))
        assert torch.equal(output[0, :, frame][:, ~inside], before[0, :, frame][:, ~inside])
    assert torch.equal(output[1], before[1])


def test_masking_commutes_with_normalisation():
    clips, masks = clips_and_masks()
    mean = torch.tensor([0.4, 0.5, 0.6]).view(3, 1, 1, 1)
    std = torch.tensor([0.2, 0.3, 0.1]).view(3, 1, 1, 1)
    torch.testing.assert_close(mask_humans((clips - mean) / std, masks),
                               (mask_humans(clips, masks) - mean) / std)


def test_masks_of_frame_pairs_and_of_the_clip():
    clips, masks = clips_and_masks()
    pairs = masks[:, ::2]
    torch.testing.assert_close(mask_humans(clips, pairs),
                               mask_humans(clips, pairs.repeat_interleave(2, dim=1)))
    whole = masks.amax(1)
    torch.testing.assert_close(mask_humans(clips, whole),
                               mask_humans(clips, whole[:, None].expand(-1, 4, -1, -1)))
    with pytest.raises(ValueError, match='3 masks.*4 frames'):
        mask_humans(clips, masks[:, :3])


def test_soft_edges_are_mixed():
    clips, masks = clips_and_masks()
    half = mask_humans(clips, 0.25 * masks)
    torch.testing.assert_close(half, 0.75 * clips + 0.25 * mask_humans(clips, masks))


def test_has_human():
    _, masks = clips_and_masks()
    assert has_human(masks).tolist() == [True, False]
    assert has_human(masks.amax(1)).tolist() == [True, False]
    masks[1, 3, 5, 7] = 1.  # one pixel of one frame
    assert has_human(masks).tolist() == [True, True]
