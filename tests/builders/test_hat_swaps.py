"""Which background goes behind whom."""
import numpy as np
import pandas as pd
import pytest

from devias_mm.builders.hat import (
    KINDS,
    SwapRules,
    SwapVideo,
    area_range,
    draw_swaps,
    mean_scene_scores,
    rank_classes,
    read_classes,
    swap_pickle,
)
from devias_mm.datasets.restricted_pickle import load_plain_pickle
from devias_mm.errors import UserError

#: of six classes on a line: the L1 distance of two is the distance of their numbers
SCORES = np.array([[x, 10 - x] for x in (0, 1, 3, 6, 8, 10)], float)


def videos(per_class=4, low=.1, high=.3):
    return [SwapVideo(f'c{label}/v{label}{number}', label, 10 + number, low, high)
            for label in range(6) for number in range(per_class)]


def draw(pool, kind, number=1, seed=0, **rules):
    rules = SwapRules(6, rank_classes(SCORES), close=2, far=2, **rules)
    return draw_swaps(pool, kind, number, seed, rules)


def test_classes_are_ranked_by_their_l1_distance():
    assert rank_classes(SCORES) == [[1, 2, 3, 4, 5], [0, 2, 3, 4, 5], [1, 0, 3, 4, 5],
                                    [4, 2, 5, 1, 0], [3, 5, 2, 1, 0], [4, 3, 2, 1, 0]]
    unknown = SCORES.copy()
    unknown[1] = np.nan
    assert rank_classes(unknown)[0] == [2, 3, 4, 5] and rank_classes(unknown)[1] == []


def test_distance_is_l1_and_not_l2():
    scores = np.array([[0, 0, 0], [.6, 0, 0], [.25, .25, .25]])  # L1 .6 and .75, L2 .6 and .43
    assert rank_classes(scores)[0] == [1, 2]


@pytest.mark.parametrize('kind, classes', [
    ('rand', {1, 2, 3, 4, 5}), ('close', {1, 2}), ('far', {4, 5}), ('same', {0})])
def test_each_kind_draws_from_its_classes_and_from_all_of_them(kind, classes):
    found = {other.label for number in range(20)
             for key, other in draw(videos(), kind, number).items() if key.startswith('c0/')}
    assert found == classes


def test_random_may_meet_the_own_class_if_asked():
    pairs = [(key, other) for number in range(9)
             for key, other in draw(videos(), 'rand', number, random_own_class=True).items()]
    own = [key for key, other in pairs if key.startswith(f'c{other.label}/')]
    assert 0 < len(own) < len(pairs) / 3
    assert all(key != other.key for key, other in pairs)


def test_draws_and_seeds_differ_and_repeat():
    assert draw(videos(), 'rand') == draw(videos(), 'rand')
    assert draw(videos(), 'rand', 1) != draw(videos(), 'rand', 2)
    assert draw(videos(), 'rand', seed=0) != draw(videos(), 'rand', seed=1)
    assert list(draw(videos(), 'same')) == [video.key for video in videos()]


def test_a_pair_does_not_depend_on_the_other_foregrounds():
    few = [video if video.key.endswith('0') else video._replace(low=.01) for video in videos()]
    pairs = {key: other.key for key, other in draw(videos(), 'far').items()}
    assert {key: other.key for key, other in draw(few, 'far').items()} == {
        key: pairs[key] for key in pairs if key.endswith('0')}


def test_area_rule_holds_for_all_frames_and_spares_backgrounds_the_lower_bound():
    masks = np.zeros((3, 10, 10), np.uint8)
    masks[0, :5], masks[1, :, 0], masks[2, :5, 0] = 129, 255, 129
    masks[2, 5:] = 128  # not foreground
    assert area_range(masks) == (.05, .5)
    pool = videos(per_class=1)
    pool[0], pool[1] = pool[0]._replace(low=.0499), pool[1]._replace(high=.5001)
    pool[2], pool[3] = pool[2]._replace(low=.05), pool[3]._replace(high=.5)
    pairs = [draw(pool, 'rand', number) for number in range(12)]
    assert all(set(found) == {video.key for video in pool[2:]} for found in pairs)
    used = {other.key for found in pairs for other in found.values()}
    assert used == {video.key for video in pool} - {pool[1].key}
    strict = draw(pool, 'rand', background_low=.05)
    assert pool[0].key not in {other.key for other in strict.values()}


def test_a_foreground_without_a_background_is_left_out():
    assert draw(videos(per_class=1), 'same') == {}
    alone = [video._replace(high=.9) if video.label in (4, 5) else video for video in videos()]
    assert not any(key.startswith('c0/') for key in draw(alone, 'far'))  # both classes are gone


def test_scene_scores_are_averaged_over_frames(tmp_path):
    file = str(tmp_path / 'scores.parquet')
    pd.DataFrame(dict(video_id=['b', 'a', 'c'],
                      scene_scores=[[0., 1.], [1., 0.], [.5, .5]])).to_parquet(file)
    scores = mean_scene_scores(file, ['a', 'b', 'c'], [0, 0, 2], [30, 10, 5], 3)
    np.testing.assert_allclose(scores[[0, 2]], [[.75, .25], [.5, .5]])
    assert np.isnan(scores[1]).all()
    with pytest.raises(ValueError, match='no scene prediction of 1 videos, such as d'):
        mean_scene_scores(file, ['a', 'd'], [0, 0], [1, 1], 1)
    pd.DataFrame(dict(video_id=['a', 'a'], probabilities=[[1.], [1.]])).to_parquet(file)
    with pytest.raises(ValueError, match="'a' has two rows"):
        mean_scene_scores(file, ['a'], [0], [1], 1)
    pd.DataFrame(dict(video_id=['a'], action_scores=[[1.]])).to_parquet(file)
    with pytest.raises(ValueError, match='scene_scores'):
        mean_scene_scores(file, ['a'], [0], [1], 1)


@pytest.mark.parametrize('number', [int, str])
def test_pickles_hold_plain_values_in_the_order_of_the_list(tmp_path, number):
    pairs = draw(videos(), 'close')
    (tmp_path / 'p.pickle').write_bytes(swap_pickle(pairs, number))
    content = load_plain_pickle(str(tmp_path / 'p.pickle'))
    assert list(content) == list(pairs)
    key = next(iter(content))
    assert content[key] == [pairs[key].key, number(pairs[key].frames), number(pairs[key].label)]
    assert [type(value) for value in content[key]] == [str, number, number]


def test_class_files_in_both_forms(tmp_path):
    file = tmp_path / 'classes'
    file.write_text('5,archery\n20,bending back')
    assert read_classes(str(file)) == {5: 'archery', 20: 'bending back'}
    file.write_text('walk\njump, high\n')
    assert read_classes(str(file)) == {0: 'walk', 1: 'jump, high'}
    file.write_text('walk\nwalk\n')
    with pytest.raises(UserError, match="'walk' repeats"):
        read_classes(str(file))


@pytest.mark.parametrize('content, message', [
    ('walk\n..', 'leads out of its folder'), ('0,.', 'names no file'), ('a/b', '"/"'),
    ('\n', 'names no class'), ('x' * 300, 'longer than'), ('a\0b', 'control')])
def test_class_names_that_are_none_for_a_folder(tmp_path, content, message):
    (tmp_path / 'classes').write_text(content)
    with pytest.raises(UserError, match=message):
        read_classes(str(tmp_path / 'classes'))


def test_class_files_that_are_missing_or_no_text(tmp_path):
    with pytest.raises(UserError, match='not found'):
        read_classes(str(tmp_path / 'none'))
    (tmp_path / 'classes').write_bytes(b'\xff\xfe')
    with pytest.raises(UserError, match='UTF-8'):
        read_classes(str(tmp_path / 'classes'))


def test_kinds_are_those_of_the_published_files():
    assert KINDS == ('rand', 'close', 'far', 'same')
