"""The accuracies that are shown while training."""
import pytest
import torch
from mmaction.registry import METRICS


def sample(label, action=None, scene_label=-1, scene=None) -> dict:
    result = dict(gt_label=torch.tensor([label]), scene_label=scene_label)
    if action is not None:
        result['pred_score'] = torch.eye(3)[action]
    if scene is not None:
        result['pred_scene_score'] = torch.eye(2)[scene]
    return result


def evaluate(*samples) -> dict:
    metric = METRICS.build(dict(type='ActionSceneMetric'))
    for start in range(0, len(samples), 2):  # in batches
        metric.process({}, samples[start:start + 2])
    return metric.evaluate(len(samples))


def test_both():
    result = evaluate(sample(0, 0, 1, 1), sample(1, 0, 0, 1), sample(2, 2, 1, 1),
                      sample(1, 1, 0, 0))
    assert result == dict(action_top1=75., scene_top1=75.)


@pytest.mark.parametrize('task', ['action', 'scene'])
def test_what_is_not_predicted_is_left_out(task):
    given = dict(action=0) if task == 'action' else dict(scene=1)
    assert evaluate(sample(0, scene_label=1, **given)) == {f'{task}_top1': 100.}


def test_what_is_not_labelled_does_not_count():
    assert evaluate(sample(0, 0, -1, 1), sample(-1, 1, 1, 1), sample(2, 0, 0, 1)) == dict(
        action_top1=50., scene_top1=50.)
    assert evaluate(sample(0, 0, -1, 1)) == dict(action_top1=100.)


def test_unreadable_videos_are_wrong():
    broken = dict(sample(1, scene_label=1), error='no such frame')
    assert evaluate(sample(0, 0), broken) == dict(action_top1=50.)
    assert evaluate(sample(0, scene_label=1, scene=1), broken) == dict(scene_top1=50.)
    assert evaluate(sample(0, 0), dict(sample(-1), error='no such frame')) == dict(
        action_top1=100.)


def test_unreadable_videos_are_wrong_even_where_the_guess_is_right():
    broken = dict(sample(1, 1, 1, 1), error='no such frame')
    assert evaluate(sample(0, 0, 0, 0), broken) == dict(action_top1=50., scene_top1=50.)
