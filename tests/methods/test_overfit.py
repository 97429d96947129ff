"""Every method learns four clips by heart."""
import pytest
import torch
from tiny_models import batch, build, teacher

FAME = [dict(type='FAMEMasks', tau=0.1, foreground_seed=0.1), dict(type='SceneMix', ratio=0.5)]
BOTH = ('action', 'scene')
METHODS = {
    'naive action': (dict(type='NaiveRecognizer'), ('action', )),
    'naive action, normalised pool': (
        dict(type='NaiveRecognizer', pool_norm=True, dropout=0.1), ('action', )),
    'naive scene': (dict(type='NaiveRecognizer', task='scene'), ('scene', )),
    'naive scene, FAME': (dict(type='NaiveRecognizer', task='scene', augments=FAME), ('scene', )),
    'FAME': (dict(type='NaiveRecognizer', augments=FAME), ('action', )),
    'BE': (dict(type='NaiveRecognizer', augments=[dict(type='BackgroundErasing')]), ('action', )),
    'two-token': (dict(type='TokenRecognizer', num_extra_tokens=2), BOTH),
    'two-token, FAME': (dict(type='TokenRecognizer', num_extra_tokens=2, augments=FAME), BOTH),
    'two-token, unified': (
        dict(type='TokenRecognizer', num_extra_tokens=2, unified_head=True), BOTH),
    'one-token': (dict(type='TokenRecognizer', num_extra_tokens=1), BOTH),
    'DEVIAS': (dict(type='DEVIAS', augments=FAME[:1]), BOTH),
    'DEVIAS, FAME': (dict(type='DEVIAS', augments=FAME), BOTH),
    'DEVIAS, hard': (dict(type='DEVIAS', augments=FAME[:1], assignment='hard'), BOTH),
}


def train(model, steps: int = 120) -> dict:
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    # at the end the weights rest, so that the running statistics of the batch norms catch up
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    data, first = batch(), None
    model.train()
    for _ in range(steps):
        losses = model(**model.data_preprocessor(data, training=True), mode='loss')
        loss, logs = model.parse_losses(losses)
        first = first or logs
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.)
        optimizer.step()
        scheduler.step()
    return first, logs


def predicted(model, name: str) -> list:
    samples = model.eval().test_step(batch())
    field = 'pred_score' if name == 'action' else 'pred_scene_score'
    return [int(sample.get(field).argmax()) for sample in samples]


@pytest.mark.parametrize('name', METHODS)
def test_overfits(name):
    config, tasks = METHODS[name]
    model = build(**config)
    # with mixed scenes and the probabilities as matching costs, slots take longer to part
    steps = 240 if name == 'DEVIAS, FAME' else 120
    first, last = train(model, steps)
    for task in ('action', 'scene'):
        if task in tasks:
            assert last[f'loss_{task}'] < 0.5 * first[f'loss_{task}']
            labels = dict(action=[0, 1, 2, 0], scene=[0, 1, 0, 1])[task]
            assert predicted(model, task) == labels
        else:
            field = 'pred_score' if task == 'action' else 'pred_scene_score'
            assert field not in model.eval().test_step(batch())[0]


@pytest.mark.parametrize('scene', [
    dict(type='SceneCrossEntropy'), dict(type='SceneDistillation', weight=5.0)])
def test_devias_overfits_a_teacher(scene):
    """Without scene labels in the list, the slots learn what the teacher says."""
    model = build(type='DEVIAS', augments=FAME[:1], scene_teacher=teacher(),
                  losses=dict(scene=scene))
    with torch.no_grad():  # an untrained teacher says the same of all clips: make it decided
        stacked = model.data_preprocessor(batch())['inputs'].flatten(0, 1)
        head = model.scene_teacher.head
        scores = model.scene_teacher.logits(stacked)['scene']
        head.bias.sub_(scores.mean(0))
        factor = 5 / (scores - scores.mean(0)).abs().min()
        head.weight.mul_(factor)
        head.bias.mul_(factor)
        label = model.scene_teacher.logits(stacked)['scene'].argmax(-1)
    assert 0 < label.sum() < 4
    train(model)
    assert predicted(model, 'scene') == label.tolist()
    assert predicted(model, 'action') == [0, 1, 2, 0]
