"""Mixing and ALBAR learn four clips by heart, and ALBAR does not learn their frames."""
import pytest
import torch
from test_overfit import predicted, train
from tiny_models import ACTIONS, batch, build

from devias_mm.augments import still_clips

MASKS = dict(type='FAMEMasks', tau=0.1, foreground_seed=0.1)
CLASSES = dict(num_classes=ACTIONS)
AUGMENTS = {
    'erasing': [dict(type='RandomErasing', prob=0.25)],
    'mixup': [dict(type='Mixup', **CLASSES, prob=0.5)],
    'cutmix': [dict(type='CutMix', **CLASSES, prob=0.5)],
    'videomix': [dict(type='VideoMix', extent='space-time', **CLASSES, prob=0.5)],
    'aug': [dict(type='RandomErasing'), dict(type='OneOf', **CLASSES, prob=0.5, augments=[
        dict(type='Mixup'), dict(type='CutMix')])],
    'actor-cutmix': [MASKS, dict(type='ActorCutMix', **CLASSES, ratio=0.3)],
    'still-mix': [dict(type='StillMix')],
}


@pytest.mark.parametrize('name', AUGMENTS)
def test_overfits_through_mixing(name):
    model = build(type='NaiveRecognizer', augments=AUGMENTS[name])
    train(model)
    assert predicted(model, 'action') == [0, 1, 2, 0]


def test_albar_learns_clips_and_not_their_frames():
    scores = {}
    for kind in ('NaiveRecognizer', 'ALBAR'):
        torch.manual_seed(0)
        model = build(type=kind)
        train(model)
        assert predicted(model, 'action') == [0, 1, 2, 0]
        clips = model.data_preprocessor(batch())['inputs'].flatten(0, 1)
        still = still_clips(clips, torch.full((4, ), 2))
        with torch.no_grad():
            scores[kind] = model.eval().probabilities(still)['action']
    truth = [scores[kind][torch.arange(4), [0, 1, 2, 0]].mean() for kind in scores]
    assert truth[0] > 0.4  # frames alone do tell something
    assert truth[1] < 1 / ACTIONS
