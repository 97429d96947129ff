"""Per-class scores against hand-counted ones."""
import numpy as np
import pandas as pd
import pytest

from devias_mm.evaluation.accuracy import agreement, mean_percent, topk_accuracy
from devias_mm.evaluation.per_class import per_class_table

#         video: action, background, scene; predicted action of seed 0 and of seed 1
VIDEOS = {'a': (0, 1, 5, 0, 0), 'b': (0, 1, 5, 1, 0), 'c': (0, 2, 4, 2, 2), 'd': (0, -1, 4, 2, 0),
          'e': (2, 0, 5, 0, 1), 'f': (2, 0, 5, 0, 2), 'g': (3, -1, 5, 3, 3)}


def table(seed, order='abcdefg', broken=()):
    """The predictions of a seed, in any order."""
    rows = []
    for video in order:
        action, background, scene, *predicted = VIDEOS[video]
        scores = np.full(4, .1, dtype=np.float32)
        scores[predicted[seed]] = .7
        scores[3] += .01  # the second guess
        bad = video in broken
        rows.append(dict(video_id=video, action_label=action, background_label=background,
                         scene_label=scene, action_scores=None if bad else scores,
                         scene_scores=None if bad else np.eye(6, dtype=np.float32)[4],
                         error='no such file' if bad else None))
    return pd.DataFrame(rows)


def columns(result, *names):
    return result.set_index('class')[list(names)].round(4).to_dict('index')


def test_accuracy_over_two_seeds_whose_tables_are_ordered_differently():
    result = per_class_table([table(0), table(1, 'gfedcba')])
    assert columns(result, 'n', 'accuracy', 'accuracy_std') == {
        0: dict(n=4, accuracy=50., accuracy_std=round(50 / 2 ** .5, 4)),  # 25 and 75
        2: dict(n=2, accuracy=25., accuracy_std=round(50 / 2 ** .5, 4)),  # 0 and 50
        3: dict(n=1, accuracy=100., accuracy_std=0.)}
    # class 1 has no video; the mean over videos is that of the other function
    for seed in (0, 1):
        one = per_class_table([table(seed)])
        scores = list(table(seed)['action_scores'])
        assert np.average(one['accuracy'], weights=one['n']) == pytest.approx(
            topk_accuracy(scores, table(seed)['action_label']))
        assert one['accuracy_std'].isna().all()


def test_most_frequent_confusion():
    result = per_class_table([table(0), table(1)])
    assert columns(result, 'confused_with', 'confused_share') == {
        0: dict(confused_with=2, confused_share=37.5),  # c twice and d once, of 8
        2: dict(confused_with=0, confused_share=50.),
        3: dict(confused_with=-1, confused_share=0.)}
    # of two equals the lower class
    assert columns(per_class_table([table(0, 'bc')]), 'confused_with') == {
        0: dict(confused_with=1)}


def test_person_and_background():
    result = per_class_table([table(0), table(1)])
    found = columns(result, 'n_background', 'shacc', 'sberr')
    assert found[0] == dict(n_background=3, shacc=50., sberr=50.)  # a b c; d has no background
    assert found[2] == dict(n_background=2, shacc=25., sberr=50.)
    assert np.isnan(list(found[3].values())).all()
    one = columns(per_class_table([table(0, 'abc')]), 'shacc', 'sberr')[0]
    assert one['shacc'] == round(float(mean_percent(agreement([0, 1, 2], [0, 0, 0]))), 4)
    assert one['sberr'] == round(float(mean_percent(agreement([0, 1, 2], [1, 1, 2]))), 4)
    assert 'shacc' not in per_class_table([table(0, 'dg')])


def test_scenes_and_several_guesses():
    result = per_class_table([table(0), table(1)], 'scene')
    assert columns(result, 'n', 'accuracy', 'confused_with') == {
        4: dict(n=2, accuracy=100., confused_with=-1), 5: dict(n=5, accuracy=0., confused_with=4)}
    assert 'sberr' not in result
    # class 3 is the second guess of every video; SHAcc is about the first one
    lucky = table(0, 'ab').assign(action_label=3)
    result = per_class_table([lucky], k=2)
    assert result.loc[0, ['accuracy', 'shacc']].tolist() == [100., 0.]


def test_unreadable_videos():
    tables = [table(0, broken='c'), table(1)]
    wrong = columns(per_class_table(tables), 'n', 'accuracy', 'confused_with', 'shacc')[0]
    # seed 0: a of a b d and the unreadable c; it confuses nothing
    assert wrong == dict(n=4, accuracy=50., confused_with=2, shacc=50.)
    skipped = columns(per_class_table(tables, on_error='skip'), 'n', 'accuracy', 'shacc',
                      'confused_share')[0]
    assert skipped == dict(n=4, accuracy=round((100 / 3 + 75) / 2, 4),
                           shacc=round((50 + 200 / 3) / 2, 4), confused_share=round(200 / 7, 4))
    with pytest.raises(ValueError, match="1 unreadable.*'c': no such file"):
        per_class_table(tables, on_error='fail')


def test_a_table_without_any_score():
    result = per_class_table([table(0, broken='abcdefg')])
    assert result['accuracy'].tolist() == [0, 0, 0] and (result['confused_with'] == -1).all()
    assert (result['confused_share'] == 0).all()
    scenes = table(0).assign(action_scores=None)
    assert per_class_table([scenes], 'scene')['accuracy'].tolist() == [100, 0]


def test_videos_without_a_label_belong_to_no_class():
    unlabelled = table(0).assign(action_label=[0, -1, 0, 0, 2, 2, -1])
    assert per_class_table([unlabelled])['class'].tolist() == [0, 2]
    assert per_class_table([unlabelled])['n'].tolist() == [3, 2]


@pytest.mark.parametrize('tables, options, message', [
    ([], {}, 'at least one seed'),
    ([table(0), table(1, 'abc')], {}, 'of different videos or labels'),
    ([table(0), table(1).assign(action_label=0)], {}, 'of different videos or labels'),
    ([table(0)], dict(task='colour'), "unknown task 'colour'"),
    ([table(0)], dict(on_error='hide'), "unknown on_error 'hide': use one of count-wrong"),
])
def test_errors(tables, options, message):
    with pytest.raises(ValueError, match=message):
        per_class_table(tables, **options)
