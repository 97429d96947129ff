"""What all methods share: views, teacher, scene labels; and the token baselines."""
import pytest
import torch
import torch.nn.functional as F
from tiny_models import ACTIONS, GRID, SCENES, SIZE, batch, build, sample, teacher

from devias_mm.errors import CheckpointError
from devias_mm.layers import TokenFeatures
from devias_mm.methods.base import accuracy
from devias_mm.structures import ClipTargets

FAME = [dict(type='FAMEMasks', tau=0.2), dict(type='SceneMix', ratio=1.)]
ALL = {
    'naive': dict(type='NaiveRecognizer'),
    'naive scene': dict(type='NaiveRecognizer', task='scene'),
    'two-token': dict(type='TokenRecognizer', num_extra_tokens=2),
    'two-token unified': dict(type='TokenRecognizer', num_extra_tokens=2, unified_head=True),
    'one-token': dict(type='TokenRecognizer', num_extra_tokens=1),
    'devias': dict(type='DEVIAS', augments=FAME, action_scores='part', scene_scores='part'),
}


def clips(size: int = 2, views: int = 1) -> torch.Tensor:
    return torch.randn(size, views, 3, *SIZE)


@pytest.mark.parametrize('name', ALL)
def test_views_are_averaged_as_probabilities(name, monkeypatch):
    model = build(**ALL[name]).eval()
    extra = model.backbone.num_extra_tokens

    def extract_feat(inputs):  # features of the views differ, so that the two averages do
        tokens = 3 * inputs.flatten(1)[:, :32 * 24].view(-1, 32, 24)
        return TokenFeatures(tokens, tokens[:, :extra], GRID)

    monkeypatch.setattr(model, 'extract_feat', extract_feat)
    inputs = clips(2, views=3)
    inputs[:, 0] *= 3
    samples = model.predict(inputs, [sample(0), sample(1)])
    with torch.no_grad():
        each = [model.probabilities(inputs[:, view]) for view in range(3)]
    for task, field in (('action', 'pred_score'), ('scene', 'pred_scene_score')):
        if task not in each[0]:
            assert field not in samples[0]
            continue
        expected = torch.stack([scores[task] for scores in each]).mean(0)
        scores = torch.stack([s.get(field) for s in samples])
        torch.testing.assert_close(scores, expected)
        logits = torch.stack([scores[task].log() for scores in each]).mean(0).softmax(-1)
        assert not torch.allclose(scores, logits, atol=1e-4)
        if task == 'action':
            labels = [int(s.pred_label) for s in samples]
            assert labels == expected.argmax(-1).tolist()


@pytest.mark.parametrize('name', [name for name in ALL if name != 'devias'])
def test_probabilities_are_the_softmax_of_the_own_classes(name):
    model = build(**ALL[name]).eval()
    x = clips()[:, 0]
    logits, scores = model.logits(x), model.probabilities(x)
    sizes = dict(action=ACTIONS, scene=SCENES)
    for task in logits:
        assert logits[task].shape == (2, sizes[task])
        torch.testing.assert_close(scores[task], logits[task].softmax(-1))


@pytest.mark.parametrize('name', ALL)
def test_probabilities_are_of_full_precision_under_autocast(name):
    model, inputs = build(**ALL[name]).eval(), clips()[:, 0]
    with torch.no_grad(), torch.autocast('cpu', dtype=torch.bfloat16):
        for scores in model.probabilities(inputs).values():
            assert scores.dtype == torch.float32
            # sums of bfloat16 numbers would miss 1, but DEVIAS' are shares of one softmax
            if name != 'devias':
                torch.testing.assert_close(scores.sum(-1), torch.ones(2))


def test_token_0_is_the_action_and_the_last_token_the_scene():
    for unified in (False, True):
        model = build(type='TokenRecognizer', num_extra_tokens=2, unified_head=unified).eval()
        x = clips()[:, 0]
        extra = model.extract_feat(x).extra
        if unified:
            action = model.head(extra[:, 0])[:, :ACTIONS]
            scene = model.head(extra[:, 1])[:, ACTIONS:]
        else:
            action, scene = model.action_head(extra[:, 0]), model.scene_head(extra[:, 1])
        torch.testing.assert_close(model.logits(x), dict(action=action, scene=scene))


def test_unified_head_shifts_the_scene_labels():
    """Eq. 5: one head over Na + Ns classes, scene s is class Na + s."""
    model = build(type='TokenRecognizer', num_extra_tokens=2, unified_head=True).eval()
    targets = ClipTargets(torch.tensor([2, 0]), torch.tensor([1, 0]))
    inputs = clips()
    losses = model.loss(inputs, None, targets)
    action, scene = model.head_outputs(inputs[:, 0])
    assert action.shape == scene.shape == (2, ACTIONS + SCENES)
    expected = -(scene.log_softmax(-1)[0, ACTIONS + 1] + scene.log_softmax(-1)[1, ACTIONS]) / 2
    torch.testing.assert_close(losses['loss_scene'], expected)
    torch.testing.assert_close(losses['loss_action'], F.cross_entropy(action, targets.action))


def test_one_token_serves_both_tasks():
    model = build(type='TokenRecognizer', num_extra_tokens=1).eval()
    x = clips()[:, 0]
    extra = model.extract_feat(x).extra
    assert extra.shape[1] == 1
    torch.testing.assert_close(model.logits(x)['scene'], model.scene_head(extra[:, 0]))


@pytest.mark.parametrize('name', ['naive scene', 'two-token', 'devias'])
def test_the_teacher_is_frozen(name):
    model = build(**ALL[name], scene_teacher=teacher())
    model.train()
    assert model.backbone.training
    assert not any(module.training for module in model.scene_teacher.modules())
    before = {key: value.clone() for key, value in model.scene_teacher.state_dict().items()}
    inputs = model.data_preprocessor(batch(), training=True)
    model.parse_losses(model(**inputs, mode='loss'))[0].backward()
    assert all(p.grad is None and not p.requires_grad for p in model.scene_teacher.parameters())
    assert model.backbone.norm.weight.grad is not None
    for key, value in model.scene_teacher.state_dict().items():
        assert torch.equal(value, before[key]), key  # batch norm statistics among them


@pytest.mark.parametrize('name', ALL)
def test_features_are_what_the_classifiers_read(name):
    model = build(**ALL[name]).eval()
    inputs = clips()[:, 0]
    with torch.no_grad():
        features, logits = model.features(inputs), model.logits(inputs)
        assert set(features) == set(logits)
        for task, feature in features.items():
            head = getattr(model, 'head', None) or getattr(model, f'{task}_head')
            scores = head(feature)
            if scores.shape[1] > logits[task].shape[1]:  # a unified head
                scores = scores.split([ACTIONS, SCENES], -1)[task == 'scene']
            assert torch.allclose(scores.log_softmax(-1), logits[task].log_softmax(-1), atol=1e-5)


def test_a_teacher_finds_all_its_weights_or_nothing_starts(tmp_path):
    config = teacher(init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'scene.pth')))
    weights = build(**ALL['two-token'], scene_teacher=teacher()).scene_teacher.state_dict()
    torch.save(dict(state_dict=weights), tmp_path / 'scene.pth')
    model = build(**ALL['two-token'], scene_teacher=config)
    model.init_weights()
    for key, value in model.scene_teacher.state_dict().items():
        assert torch.equal(value, weights[key]), key
    weights['renamed'] = weights.pop('head.weight')
    torch.save(dict(state_dict=weights), tmp_path / 'scene.pth')
    model = build(**ALL['two-token'], scene_teacher=config)
    with pytest.raises(CheckpointError, match=r'scene\.pth does not fit.*head\.weight'):
        model.init_weights()


def test_the_teacher_sees_the_augmented_clip():
    model = build(type='TokenRecognizer', num_extra_tokens=2, augments=FAME,
                  scene_teacher=teacher())
    seen, encoded = [], []
    model.scene_teacher.backbone.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    model.backbone.register_forward_pre_hook(lambda _, args: encoded.append(args[0]))
    data = model.data_preprocessor(batch(), training=True)
    plain = model.data_preprocessor(batch(), training=False)['inputs']
    model(**data, mode='loss')
    assert torch.equal(seen[0], data['inputs'].flatten(0, 1))
    assert torch.equal(seen[0], encoded[0])
    assert not torch.allclose(seen[0], plain.flatten(0, 1), atol=1.)


def test_the_teacher_goes_before_the_labels():
    model = build(type='NaiveRecognizer', task='scene', scene_teacher=teacher()).eval()
    inputs = clips(4)
    said = model.scene_teacher.logits(inputs[:, 0])['scene'].argmax(-1)
    losses = model.loss(inputs, None, ClipTargets(torch.zeros(4).long(), scene=1 - said))
    expected = F.cross_entropy(model.logits(inputs[:, 0])['scene'], said)
    torch.testing.assert_close(losses['loss_scene'], expected)


def test_soft_scene_labels_of_the_dataset():
    model = build(type='NaiveRecognizer', task='scene')
    soft = torch.tensor([[0.9, 0.1], [0., 1.]])
    hard, scores = model.scene_targets(clips()[:, 0], ClipTargets(None, scene=soft))
    assert hard.tolist() == [0, 1]
    torch.testing.assert_close(scores.softmax(-1), soft)
    hard, scores = model.scene_targets(clips()[:, 0], ClipTargets(None, torch.tensor([1, 0])))
    assert hard.tolist() == [1, 0]
    assert scores is None


@pytest.mark.parametrize('name', ['naive scene', 'two-token', 'one-token', 'devias'])
def test_missing_scene_labels(name):
    model = build(**ALL[name])
    data = batch()
    for item in data['data_samples']:
        item.set_field(-1, 'scene_label')
    with pytest.raises(ValueError, match='no scene labels.*scene_teacher'):
        model(**model.data_preprocessor(data, training=True), mode='loss')


@pytest.mark.parametrize('options, message', [
    (dict(type='NaiveRecognizer', task='both'), "'action' or 'scene', got 'both'"),
    (dict(type='TokenRecognizer'), 'num_extra_tokens 1.*or 2.*got 0')])
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)


def test_tensor_mode_and_accuracy():
    model = build(type='NaiveRecognizer').eval()
    inputs = clips(2, views=2)
    assert model(inputs, mode='tensor')['action'].shape == (4, ACTIONS)
    logits = torch.tensor([[1., 0.], [0., 1.], [2., 1.], [5., 4.]])
    assert accuracy(logits, torch.tensor([0, 1, 1, 0])) == 75.
