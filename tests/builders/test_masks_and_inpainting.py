"""Masks and backgrounds of small drawn videos whose truth is known."""
import numpy as np
import pandas as pd
import pytest

from devias_mm.builders.boxes import Box, box_masks, detected_masks, read_video_boxes
from devias_mm.builders.inpainting import human_only, remove_foreground
from devias_mm.builders.masks import fame_masks, motion_masks, person_masks
from devias_mm.builders.score import mask_iou

SIZE, SIDE = 48, 10


def walker(length=12, background=None):
    """A red square that walks to the right in front of a pattern."""
    rng = np.random.default_rng(0)
    if background is None:
        background = rng.integers(0, 120, (SIZE, SIZE, 3), np.uint8)
    frames = np.repeat(background[None], length, axis=0)
    masks = np.zeros((length, SIZE, SIZE), np.uint8)
    for t in range(length):
        left = 2 + t * (SIZE - SIDE - 4) // (length - 1)
        frames[t, 20:20 + SIDE, left:left + SIDE] = 250, 20, 20
        masks[t, 20:20 + SIDE, left:left + SIDE] = 255
    return frames, masks, background


@pytest.mark.parametrize('window', [None, 1, 3])
def test_background_that_shows_at_some_time_is_found_exactly(window):
    frames, masks, background = walker()
    filled = remove_foreground(frames, masks, dilation=1, window=window)
    assert (filled == background).all()
    assert (frames != background).any()  # the input is untouched


def test_the_median_counts_what_is_visible_and_takes_the_lower_middle():
    frames = np.zeros((5, 4, 4, 3), np.uint8) + np.array(
        [10, 40, 30, 20, 255], np.uint8)[:, None, None, None]
    masks = np.zeros((5, 4, 4), np.uint8)
    masks[4], masks[2, 0] = 255, 255
    masks[4, :, 3] = 0
    filled = remove_foreground(frames, masks, 0)
    assert filled[4, 1, 1].tolist() == [20] * 3  # of 10, 20, 30, 40
    assert filled[4, 0, 1].tolist() == [20] * 3  # of 10, 20, 40
    assert filled[2, 0, 3].tolist() == [20] * 3  # of 10, 20, 40, 255
    assert filled[4, 1, 3].tolist() == [255] * 3  # visible


def test_window_takes_the_background_of_its_time():
    frames, masks, _ = walker()
    for t in range(len(frames)):  # the light goes out little by little
        frames[t][masks[t] == 0] = 200 - 10 * t
    errors = {}
    for window in (None, 2):
        filled = remove_foreground(frames, masks, 0, window).astype(int)
        truth = 200 - 10 * np.arange(len(frames))[:, None, None, None]
        errors[window] = np.abs(filled - truth).max()
    assert errors[2] <= 40 < errors[None]


@pytest.mark.parametrize('window', [None, 2])
def test_what_never_shows_is_inpainted_from_its_surroundings(window):
    frames = np.full((4, SIZE, SIZE, 3), 90, np.uint8)
    masks = np.zeros((4, SIZE, SIZE), np.uint8)
    masks[:, 20:28, 20:28] = 255
    frames[masks > 0] = 255
    assert np.abs(remove_foreground(frames, masks, 1, window).astype(int) - 90).max() <= 2


@pytest.mark.parametrize('options', [dict(window=0), dict(window=-1), dict(dilation=-1)])
def test_sizes_out_of_range_are_named(options):
    frames, masks, _ = walker()
    (name, value), = options.items()
    with pytest.raises(ValueError, match=f'{name} {value}: accepted'):
        remove_foreground(frames, masks, **options)


def test_dilation_removes_the_outline_of_a_mask_that_is_too_small():
    frames, masks, background = walker()
    masks[:, 20], masks[:, 29] = 0, 0
    assert (remove_foreground(frames, masks, 0) != background).any()
    assert (remove_foreground(frames, masks, 2) == background).all()


def test_soft_mask_values_up_to_128_are_background():
    frames, masks, _ = walker()
    assert (remove_foreground(frames, masks // 2 + (masks > 0), 0) == frames).all()  # 128
    assert (human_only(frames, masks // 2 + (masks > 0), (1, 2, 3)) == (1, 2, 3)).all()


def test_masks_of_everything_are_refused():
    frames, masks, _ = walker()
    with pytest.raises(ValueError, match='every pixel'):
        remove_foreground(frames, np.full_like(masks, 255))


def test_human_only_keeps_the_person_and_paints_the_rest():
    frames, masks, _ = walker()
    painted = human_only(frames, masks, (123, 116, 103))
    assert (painted[masks > 0] == (250, 20, 20)).all()
    assert (painted[masks == 0] == (123, 116, 103)).all()


def test_motion_masks_find_the_walker():
    frames, masks, _ = walker(length=24)
    assert mask_iou(motion_masks(frames, opening=0), masks > 0) > .8
    with pytest.raises(ValueError, match='background ratio 0'):
        motion_masks(frames, background_ratio=0)


def test_fame_masks_cover_every_frame_of_a_video_longer_than_a_clip():
    frames, masks, _ = walker(length=11)  # clips 0-3, 4-7 and 7-10
    found = fame_masks(frames, clip_length=4, tau=.1, foreground_seed=.1, background_seed=.4,
                       colours='frame')
    assert found.shape == masks.shape
    assert (found.sum(axis=(1, 2)) == int(.1 * SIZE * SIZE)).all()
    assert mask_iou(found, masks > 0) > .4
    pairs = fame_masks(frames[:8], clip_length=4, tau=.1)  # one mask for two frames
    assert (pairs[0::2] == pairs[1::2]).all()
    with pytest.raises(ValueError, match='even'):
        fame_masks(frames, clip_length=3)


def test_boxes_are_truncated_and_united():
    frames = np.zeros((3, 20, 30, 3), np.uint8)
    boxes = [Box(1, 2.9, 3.9, 5.2, 6.8), Box(1, 4, 0, 6, 4), Box(2, -3, -3, 1, 1)]
    masks = box_masks(frames, boxes)
    assert not masks[0].any()
    truth = np.zeros((20, 30), bool)
    truth[3:6, 2:5], truth[0:4, 4:6] = True, True
    assert (masks[1] == truth).all()
    assert masks[2].sum() == 1
    with pytest.raises(ValueError, match='frame 3'):
        box_masks(frames, [Box(3, 0, 0, 1, 1)])


@pytest.fixture
def boxes_file(tmp_path):
    from devias_mm.datasets.human_boxes import write_boxes
    nobody = dict.fromkeys(('x1', 'y1', 'x2', 'y2', 'score'), float('nan'))
    rows = [dict(video_id='a/v', frame=0, x1=1, y1=2, x2=4, y2=6, score=.9),
            dict(video_id='a/v', frame=0, x1=8, y1=8, x2=9, y2=9, score=.1),
            dict(video_id='a/v', frame=4, **nobody)]
    write_boxes(tmp_path / 'boxes.parquet', rows)
    return str(tmp_path / 'boxes.parquet')


def test_detections_hold_for_the_frames_around_them(boxes_file):
    frames = np.zeros((5, 12, 12, 3), np.uint8)
    masks = detected_masks(frames, 'a/v', boxes_file, min_score=.5)
    assert masks[0, 2:6, 1:4].all() and masks[0].sum() == 12
    assert (masks[1] == masks[0]).all() and not masks[4].any()


def test_annotated_boxes_are_read_as_they_are(boxes_file):
    assert len(pd.read_parquet(boxes_file)) == 3
    assert read_video_boxes(boxes_file, min_score=.5) == {'a/v': [Box(0, 1, 2, 4, 6)]}
    assert len(read_video_boxes(boxes_file)['a/v']) == 2


def test_person_masks_of_a_segformer(tmp_path, monkeypatch):
    transformers = pytest.importorskip('transformers')
    from devias_mm.augments import segformer_masks
    config = transformers.SegformerConfig(
        num_labels=3, hidden_sizes=[8, 8, 8, 8], depths=[1, 1, 1, 1], decoder_hidden_size=8,
        num_attention_heads=[1, 1, 1, 1])
    transformers.SegformerForSemanticSegmentation(config).save_pretrained(tmp_path)
    frames, _, _ = walker(length=5)
    monkeypatch.setattr(segformer_masks, 'FRAMES_PER_PASS', 2)  # several passes, one of them short
    found = [person_masks(frames, checkpoint=str(tmp_path), person_classes=(label, ), size=64)
             for label in range(3)]
    assert found[0].shape == frames.shape[:3]
    assert (sum(map(np.int64, found)) <= 1).all()  # a pixel has one class, or a tie
    assert 0.9 < np.mean(sum(map(np.int64, found))) <= 1
