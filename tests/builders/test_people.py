"""People found by OpenCV's detector, tracked and cut out; what is said of masks."""
import numpy as np
import pytest

from devias_mm.builders.mask_quality import MaskQuality, flicker, mask_quality, quality_warnings
from devias_mm.builders.media import read_frames
from devias_mm.builders.people import Detection, link_detections, people_masks, without_doubles
from devias_mm.errors import UserError


def at(x, y=100, score=1.5, size=(64, 128)):
    return Detection(np.array([x, y], float), np.array(size, float), score)


def test_doubles_are_removed_and_the_best_is_kept():
    kept = without_doubles([at(100, score=1), at(104, score=2), at(200)])
    assert [(detection.centre[0], detection.score) for detection in kept] == [(104, 2), (200, 1.5)]


def test_tracks_follow_their_person_and_survive_a_gap():
    numbers = [0, 4, 8, 12, 16]
    found = [[at(50), at(300)], [at(60), at(290)], [at(280)], [at(80), at(270)], [at(90), at(260)]]
    first, second = sorted(link_detections(numbers, found), key=lambda track: track.boxes[0, 0])
    assert first.frames.tolist() == [0, 4, 12, 16] and second.frames.tolist() == numbers
    boxes = first.boxes_at(0, 18)
    assert boxes[10, 0] == pytest.approx((boxes[12, 0] + boxes[8, 0]) / 2)
    assert boxes[17, 0] == boxes[16, 0]  # where it was last
    # too long a gap ends a track
    gap = [[at(50)], *[[]] * 6, [at(50)]]
    assert len(link_detections(range(8), gap)) == 2


def test_flicker_is_one_minus_the_overlap_of_successive_masks():
    masks = np.zeros((3, 4, 4), bool)
    assert flicker(masks) == 0
    masks[0, :2], masks[1, 1:3], masks[2, 1:3] = True, True, True
    assert flicker(masks) == pytest.approx(1 - (4 / 12 + 1) / 2)


def test_warnings_count_and_name_the_videos():
    good = MaskQuality(0.1, 0, 0.1, 1.0, 0.9)._asdict()
    qualities = [good, dict(good, flicker=0.7), dict(good, area=0.8), dict(good, on_people=0.1),
                 dict(good, people=0.0), dict(good, area=0.0), dict(good, flicker=0.9)]
    lines = quality_warnings('abcdefg', qualities)
    assert any('2 of 7 videos: the masks flicker' in line and line.endswith(': b, g')
               for line in lines)
    for text, name in (('cover more than 60%', 'c'), ('less than 50% of the masks', 'd'),
                       ('no person was found', 'e'), ('are empty', 'f')):
        assert any(text in line and line.endswith(f': {name}') for line in lines)
    assert quality_warnings('a', [good]) == []


def test_bad_options_are_named():
    with pytest.raises(UserError, match='--every 0'):
        people_masks(np.zeros((2, 64, 64, 3), np.uint8), every=0)


def test_where_nobody_is_there_is_no_mask():
    frames = np.random.default_rng(0).integers(0, 255, (5, 64, 64, 3), np.uint8)
    assert not people_masks(frames).any()
    quality = mask_quality(frames, np.ones((5, 64, 64), bool))
    assert quality.area == 1 and quality.on_people == 0
    assert not people_masks(frames[:1, :20, :7]).any()


def test_a_person_of_a_real_clip_is_covered(shared):
    """One person drinks; she stands at about a fourth of the width from the middle."""
    frames = read_frames(shared / 'real_clips/ntu_drink.avi', 256)[:24]
    masks = people_masks(frames)
    assert masks.any(axis=(1, 2)).all() and 0.008 < masks.mean() < 0.03
    assert flicker(masks) < 0.1
    rows, columns = np.nonzero(masks.any(0))
    assert rows.min() > 60 and rows.max() < 190 and columns.min() > 220 and columns.max() < 280
    quality = mask_quality(frames, masks)
    assert quality.people == 1 and quality.on_people > 0.9
    # black trousers and shirt against a white wall: what is cut out is darker
    assert frames[12][masks[12]].mean() < frames[12][60:190, 200:220].mean() - 20
