"""Labels that mixing made probabilities, in every recognizer."""
import pytest
import torch
import torch.nn.functional as F
from tiny_models import ACTIONS, SCENES, SIZE, batch, build, teacher

from devias_mm.methods.base import accuracy, hard_labels, pad_labels
from devias_mm.structures import ClipTargets

MIXUP = dict(type='Mixup', num_classes=ACTIONS)
METHODS = {
    'naive': dict(type='NaiveRecognizer'),
    'naive scene': dict(type='NaiveRecognizer', task='scene'),
    'two-token': dict(type='TokenRecognizer', num_extra_tokens=2),
    'two-token unified': dict(type='TokenRecognizer', num_extra_tokens=2, unified_head=True),
    'devias': dict(type='DEVIAS', losses=dict(scene=dict(type='SceneCrossEntropy'))),
    'albar': dict(type='ALBAR'),
}


@pytest.mark.parametrize('name', METHODS)
def test_one_hot_labels_are_the_labels(name):
    """The same loss for a class and for all probability on it."""
    masks = torch.rand(4, 2, *SIZE[1:])
    model = build(**METHODS[name]).eval()
    inputs, action, scene = torch.randn(4, 1, 3, *SIZE), torch.tensor([0, 2, 1, 2]), \
        torch.tensor([0, 1, 1, 0])
    hard = model.loss(inputs, None, ClipTargets(action, scene, masks, masks[:, 0]))
    soft = model.loss(inputs, None, ClipTargets(
        F.one_hot(action, ACTIONS).float(), F.one_hot(scene, SCENES).float(), masks, masks[:, 0]))
    for key in hard:
        torch.testing.assert_close(soft[key], hard[key], msg=key)


@pytest.mark.parametrize('name', METHODS)
def test_mixed_batches_train(name):
    fame = dict(type='FAMEMasks', tau=0.2)
    model = build(**METHODS[name], augments=[fame, MIXUP]).train()
    data = model.data_preprocessor(batch(), training=True)
    assert data['targets'].action.shape == (4, ACTIONS)
    loss, _ = model.parse_losses(model(**data, mode='loss'))
    loss.backward()
    assert torch.isfinite(loss)


def test_probabilities_weigh_the_cross_entropy():
    model = build(type='NaiveRecognizer').eval()
    inputs = torch.randn(1, 1, 3, *SIZE)
    log_p = model.logits(inputs[:, 0])['action'].log_softmax(-1)[0]
    losses = model.loss(inputs, None, ClipTargets(torch.tensor([[0.3, 0., 0.7]])))
    torch.testing.assert_close(losses['loss_action'], -0.3 * log_p[0] - 0.7 * log_p[2])


def test_label_smoothing():
    model = build(type='NaiveRecognizer', label_smoothing=0.1).eval()
    inputs = torch.randn(1, 1, 3, *SIZE)
    log_p = model.logits(inputs[:, 0])['action'].log_softmax(-1)[0]
    losses = model.loss(inputs, None, ClipTargets(torch.tensor([2])))
    torch.testing.assert_close(losses['loss_action'], -0.9 * log_p[2] - 0.1 * log_p.mean())
    with pytest.raises(ValueError, match=r'label_smoothing must lie in \[0, 1\), got 1.0'):
        build(type='NaiveRecognizer', label_smoothing=1.)


@pytest.mark.parametrize('type', ['SceneAdversarial', 'ALBAR'])
def test_methods_smooth_the_labels_of_actions(type):
    model = build(type=type, label_smoothing=0.1).eval()
    inputs = torch.randn(1, 1, 3, *SIZE)
    log_p = model.logits(inputs[:, 0])['action'].log_softmax(-1)[0]
    losses = model.loss(inputs, None, ClipTargets(torch.tensor([2]), torch.tensor([1])))
    torch.testing.assert_close(losses['loss_action'], -0.9 * log_p[2] - 0.1 * log_p.mean())
    if type == 'SceneAdversarial':  # the adversary's labels stay as they are
        log_s = model.scene_head(model.feature(inputs[:, 0])).log_softmax(-1)[0]
        torch.testing.assert_close(losses['loss_adversarial'], -log_s[1])


@pytest.mark.parametrize('type', ['NaiveRecognizer', 'SceneAdversarial', 'ALBAR'])
def test_options_of_scenes_are_refused_where_none_are_learnt(type):
    with pytest.raises(ValueError, match="soft_scenes.*task='scene'"):
        build(type=type, soft_scenes=True)
    if type != 'SceneAdversarial':  # which unlearns them
        with pytest.raises(ValueError, match=f'{type} .*scene_teacher=None'):
            build(type=type, scene_teacher=teacher())


@pytest.mark.parametrize('soft', [False, True])
def test_soft_scenes(soft):
    model = build(type='NaiveRecognizer', task='scene', soft_scenes=soft).eval()
    inputs = torch.randn(1, 1, 3, *SIZE)
    log_p = model.logits(inputs[:, 0])['scene'].log_softmax(-1)[0]
    losses = model.loss(inputs, None, ClipTargets(None, torch.tensor([[0.4, 0.6]])))
    expected = -0.4 * log_p[0] - 0.6 * log_p[1] if soft else -log_p[1]
    torch.testing.assert_close(losses['loss_scene'], expected)


def test_helpers():
    soft = torch.tensor([[0.2, 0.8], [0.6, 0.4]])
    assert hard_labels(soft).tolist() == [1, 0]
    labels = torch.tensor([1, 1])
    assert hard_labels(labels) is labels and pad_labels(labels, 5) is labels
    assert pad_labels(soft, 3).tolist() == torch.cat([soft, torch.zeros(2, 1)], 1).tolist()
    logits = torch.tensor([[0., 1.], [0., 1.]])
    assert accuracy(logits, soft) == 50.
