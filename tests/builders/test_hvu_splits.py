"""Seen and unseen combinations by their frequency in training."""
from collections import Counter
from pathlib import Path

import pytest

from devias_mm.builders.hvu import (
    Clip,
    clip_name,
    most_frequent,
    read_categories,
    read_clips,
    split_combinations,
    write_lines,
)

GOLDEN = Path(__file__).resolve().parents[3] / 'shared/golden/filelists/hvu'
golden = pytest.mark.skipif(not GOLDEN.is_dir(), reason='golden data not found')


def clips(prefix, *groups):
    """``count`` clips of each ``(count, action, scene)``."""
    return [Clip(f'{prefix}{number}_{index}', action, scene)
            for number, (count, action, scene) in enumerate(groups) for index in range(count)]


TRAIN = clips('t', (9, 0, 0), (8, 1, 1), (6, 0, 1), (5, 1, 0), (7, 2, 0), (1, 3, 2))
VAL = clips('v', (1, 1, 0), (2, 0, 1), (1, 2, 1), (2, 0, 0), (3, 1, 1), (1, 3, 0), (1, 0, 2))


def test_combinations_are_split_by_their_training_frequency():
    splits = split_combinations(TRAIN, VAL, top_actions=3, top_scenes=2, num_seen=4)
    # 3 is too rare an action, 2 too rare a scene
    assert splits.candidates == 9
    assert [clip.pair for clip in splits.unseen] == [(1, 0), (2, 1)]  # 5 and 0 training videos
    assert [clip.name for clip in splits.seen] == ['v3_0', 'v3_1', 'v4_0', 'v4_1']
    assert splits.frequency[0, 1] == 6
    tighter = split_combinations(TRAIN, VAL, 3, 2, max_unseen=4, num_seen=4)
    assert [clip.pair for clip in tighter.unseen] == [(2, 1)]


def test_top_classes_are_counted_in_training():
    assert most_frequent([5, 1, 1, 2, 2, 2, 4, 4], 3) == [2, 1, 4]  # 1 and 4 tie: by value
    splits = split_combinations(TRAIN, VAL, top_actions=1, top_scenes=2, num_seen=2)
    assert {clip.action for clip in splits.seen} == {0}


def test_overlaps_and_bad_numbers_are_errors():
    with pytest.raises(ValueError, match='such as t0_0'):
        split_combinations(TRAIN, TRAIN[:1])
    with pytest.raises(ValueError, match='--num-seen 9: only 7 of the 9'):
        split_combinations(TRAIN, VAL, top_actions=3, top_scenes=2, num_seen=9)
    with pytest.raises(ValueError, match='--top-scenes 0'):
        split_combinations(TRAIN, VAL, top_scenes=0)


@pytest.fixture
def files(tmp_path):
    (tmp_path / 'cat.csv').write_text(
        'Tag,Category\nwalking,action\nbowling,action\nforest,scene\nalley,scene\n'
        'shoe,object\nslow,attribute\n')
    (tmp_path / 'tags.csv').write_text(
        'Tags,youtube_id,time_start,time_end\n'
        'shoe|walking|forest,-a_b,10.0,20.0\n'
        'walking|bowling|forest,two_actions,1,2\n'
        'bowling|alley|forest,two_scenes,1,2\n'
        'slow|alley,no_action,1,2\n'
        'bowling|alley|slow,VGlpTrUdWKc,48.5,50.5\n')
    return tmp_path


def test_tags_give_videos_with_one_action_and_one_scene(files):
    classes = read_categories(str(files / 'cat.csv'))
    assert classes == dict(action=dict(bowling=0, walking=1), scene=dict(alley=0, forest=1))
    found = read_clips(str(files / 'tags.csv'), classes)
    assert found == [Clip('-a_b_10_20', 1, 1), Clip('VGlpTrUdWKc_48.5_50.5', 0, 0)]
    (files / 'list.csv').write_text(write_lines(found))
    assert read_clips(str(files / 'list.csv'), {}) == found


def test_times_are_named_as_in_the_published_lists():
    assert clip_name('x', '0.0', '10.0') == 'x_0_10'
    assert clip_name('x', '48.5', '1230') == 'x_48.5_1230'


def test_bad_files_are_named_with_the_line(files):
    classes = read_categories(str(files / 'cat.csv'))
    with pytest.raises(ValueError, match='--categories'):
        read_clips(str(files / 'tags.csv'), {})
    bad = files / 'bad.csv'
    bad.write_text('Tags,youtube_id,time_start,time_end\na,x,1,2\na,y,one,2\n')
    with pytest.raises(ValueError, match="bad.csv, line 3: 'one'"):
        read_clips(str(bad), classes)
    bad.write_text('Tags,youtube_id,time_start,time_end\na,x,1,2\na,x,1.0,2\n')
    with pytest.raises(ValueError, match='line 3: x_1_2 was already in line 2'):
        read_clips(str(bad), classes)
    bad.write_text('Tags,youtube_id,start\na,x,1\n')
    with pytest.raises(ValueError, match='no column time_start, time_end'):
        read_clips(str(bad), classes)
    bad.write_text('Tag,Category\nwalking,action\n')
    with pytest.raises(ValueError, match="category 'scene'"):
        read_categories(str(bad))


@golden
def test_published_lists_follow_the_rule_golden():
    seen, unseen = (read_clips(str(GOLDEN / f'val_{name}.csv'), {})
                    for name in ('seen', 'unseen'))
    assert write_lines(unseen) == (GOLDEN / 'val_unseen.csv').read_text().rstrip('\n') + '\n'
    # a training list with the frequencies that the facts state: seen pairs 50 times and more,
    # falling in the order of the list; unseen pairs 0 to 5 times
    order = list(dict.fromkeys(clip.pair for clip in seen))
    tied = {(108, 122), (172, 13)}  # these two alternate in the list: equally frequent
    counts = {pair: 200 - 5 * (order.index((108, 122)) if pair in tied else index)
              for index, pair in enumerate(order)}
    for index, pair in enumerate(dict.fromkeys(clip.pair for clip in unseen)):
        counts[pair] = index % 6
    scenes = {clip.scene for clip in seen + unseen}
    assert len(scenes) <= 20 and len({clip.action for clip in seen + unseen}) <= 400
    train = clips('t', *((count, *pair) for pair, count in counts.items()))
    # neither seen nor unseen: combinations that occur nine times, and a scene that is too rare
    train += clips('m', *((9, 1000, scene) for scene in sorted(scenes)), (1, 1000, 1000))
    # every action occurs in training, if only with another scene
    train += clips('a', *((6, action, min(s for s in scenes if (action, s) not in counts))
                          for action in sorted({clip.action for clip in unseen})))
    others = clips('o', *((2, 1000, scene) for scene in sorted(scenes)), (3, 606, 1000))
    splits = split_combinations(train, others + seen + unseen, top_scenes=len(scenes))
    assert splits.seen == seen and splits.unseen == unseen
    assert Counter(clip.pair for clip in seen)[order[-1]] == 1  # the last pair is cut
