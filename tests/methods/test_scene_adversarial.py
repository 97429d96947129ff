"""Choi et al. 2019: which loss reaches which parameters, with which sign, and when."""
import math
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmaction.registry import METRICS, MODELS, PARAM_SCHEDULERS
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from mmengine.registry import DefaultScope
from mmengine.runner import Runner, load_checkpoint
from recipe_rows import read_row
from tiny_models import SCENES, SIZE, batch, build, teacher
from torch.utils._python_dispatch import TorchDispatchMode

from devias_mm.augments import mask_humans
from devias_mm.structures import ClipTargets
from devias_mm.weights.checkpoints import find_resumable, load_checkpoint_file

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'engine'))
FAME = [dict(type='FAMEMasks', tau=0.1, foreground_seed=0.1)]
GROUPS = ('backbone', 'head', 'scene_head')


def method(**kwargs):
    return build(type='SceneAdversarial', **kwargs)


def data(batch_size: int = 4, soft: bool = False):
    """Random clips and targets; every clip shows a human but the last."""
    inputs = torch.randn(batch_size, 1, 3, *SIZE)
    masks = torch.zeros(batch_size, SIZE[0], *SIZE[1:])
    for i in range(batch_size - 1):
        masks[i, :, 2 + i:7 + i, 3:9] = 1.
    scene = torch.rand(batch_size, SCENES).softmax(-1) if soft else torch.arange(batch_size) % 2
    targets = ClipTargets(torch.arange(batch_size) % 3, scene, masks, masks.amax(1))
    return inputs, targets


def gradients(model, loss=None, inputs=None, targets=None) -> dict:
    """Gradients by group; of a scalar, or of what MMEngine sums up from ``model.loss``."""
    model.zero_grad()
    if loss is None:
        loss = model.parse_losses(model.loss(inputs, None, targets))[0]
    loss.backward()
    return {group: {name: None if p.grad is None else p.grad.clone()
                    for name, p in getattr(model, group).named_parameters()} for group in GROUPS}


def assert_gradients(found: dict, expected: dict) -> None:
    assert found.keys() == expected.keys()
    for name, gradient in found.items():
        torch.testing.assert_close(gradient, expected[name], atol=1e-6, rtol=1e-4,
                                   msg=lambda text, name=name: f'{name}: {text}')


@pytest.mark.parametrize('scale', [0.5, 2.])
def test_equation_5(scale):
    """L_CE - lambda L_Adv for the features, L_CE for the action, L_Adv for the scene head."""
    model = method(reversal_scale=scale).double()
    inputs, targets = data()
    inputs = inputs.double()
    found = gradients(model, None, inputs, targets)
    assert model.steps == 1

    def parts():  # without the reversal layer
        feature = model.backbone(inputs[:, 0]).tokens.mean(1)
        return (F.cross_entropy(model.head(feature), targets.action),
                F.cross_entropy(model.scene_head(feature), targets.scene))

    action, scene = gradients(model, parts()[0]), gradients(model, parts()[1])
    assert_gradients(found['head'], action['head'])
    assert_gradients(found['scene_head'], scene['scene_head'])
    assert_gradients(found['backbone'], {
        name: gradient - scale * scene['backbone'][name]
        for name, gradient in action['backbone'].items()})
    assert all(p is None for p in action['scene_head'].values())


def test_equation_6_leaves_the_scene_head_alone():
    model = method()
    model.steps = 1
    inputs, targets = data()
    found = gradients(model, None, inputs, targets)
    # None, not zero: momentum and weight decay would move a zero
    assert all(gradient is None for gradient in found['scene_head'].values())
    probability = model.head(model.backbone(mask_humans(inputs[:, 0], targets.masks))
                             .tokens.mean(1)).softmax(-1)[:3]
    entropy = -(probability * probability.log()).sum() / 3  # the last clip shows no human
    expected = gradients(model, -entropy)
    assert_gradients(found['head'], expected['head'])
    assert_gradients(found['backbone'], expected['backbone'])
    assert found['backbone']['stem.0.weight'].abs().max() > 0


def test_entropy_rises_along_the_gradient():
    model = method().eval()
    with torch.no_grad():
        model.head.weight.mul_(100.)  # sure of itself
    inputs, targets = data()
    losses = []
    for _ in range(4):
        result = model.confusion_loss(inputs[:, 0], targets)
        losses.append(float(result['masked_entropy']))
        torch.testing.assert_close(result['loss_confusion'], -result['masked_entropy'])
        gradients(model, result['loss_confusion'])
        with torch.no_grad():
            for p in [*model.backbone.parameters(), *model.head.parameters()]:
                p -= 1e-3 * p.grad / p.grad.norm().clamp_min(1e-8)
    assert losses == sorted(losses)
    assert losses[-1] > losses[0] + 1e-4


def test_the_confusion_weight_is_a_factor():
    inputs, targets = data()
    model = method(confusion_weight=3.)
    result = model.confusion_loss(inputs[:, 0], targets)
    torch.testing.assert_close(result['loss_confusion'], -3 * result['masked_entropy'])


def test_clips_without_humans_do_not_count():
    model = method().eval()
    inputs, targets = data()
    entropies = [float(model.confusion_loss(inputs[i:i + 1, 0], ClipTargets(
        None, masks=targets.masks[i:i + 1]))['masked_entropy']) for i in range(4)]
    assert entropies[3] == 0
    together = float(model.confusion_loss(inputs[:, 0], targets)['masked_entropy'])
    assert together == pytest.approx(sum(entropies[:3]) / 3, rel=1e-5)
    nobody = gradients(model, model.confusion_loss(
        inputs[:, 0], ClipTargets(None, masks=torch.zeros(4, *SIZE)))['loss_confusion'])
    assert all(g is None or not g.any() for group in GROUPS for g in nobody[group].values())


def test_each_frame_has_its_own_mask():
    model = method().eval()
    inputs, targets = data()
    targets.clip_mask = 1 - targets.clip_mask
    seen = []
    model.backbone.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    model.confusion_loss(inputs[:, 0], targets)
    torch.testing.assert_close(seen[0], mask_humans(inputs[:, 0], targets.masks))
    assert not torch.allclose(seen[0], inputs[:, 0])


def test_soft_and_hard_labels():
    inputs, targets = data(soft=True)
    for labels in ('soft', 'hard'):
        model = method(scene_labels=labels).eval()
        found = model.original_loss(inputs[:, 0], targets)['loss_adversarial']
        p = targets.scene if labels == 'soft' else F.one_hot(targets.scene.argmax(-1), SCENES)
        log_q = model.scene_head(model.feature(inputs[:, 0])).log_softmax(-1)
        torch.testing.assert_close(found, -(p * log_q).sum(-1).mean())  # Eq. 3
    model = method(scene_teacher=teacher()).eval()
    p = model.scene_teacher.logits(inputs[:, 0])['scene'].softmax(-1)
    log_q = model.scene_head(model.feature(inputs[:, 0])).log_softmax(-1)
    losses = model.original_loss(inputs[:, 0], targets)
    torch.testing.assert_close(losses['loss_adversarial'], -(p * log_q).sum(-1).mean())
    model.parse_losses(losses)[0].backward()
    assert all(p.grad is None for p in model.scene_teacher.parameters())


BOTH = {'loss_action', 'loss_adversarial', 'loss_confusion'}


@pytest.mark.parametrize('options, first, second', [
    ({}, BOTH - {'loss_confusion'}, {'loss_confusion'}),
    (dict(optimization='joint'), BOTH, BOTH),
    (dict(losses=('adversarial', )), BOTH - {'loss_confusion'}, BOTH - {'loss_confusion'}),
    (dict(losses=('confusion', )), {'loss_action'}, {'loss_confusion'}),
    (dict(losses=('confusion', ), optimization='joint'),
     BOTH - {'loss_adversarial'}, BOTH - {'loss_adversarial'}),
    (dict(losses=()), {'loss_action'}, {'loss_action'})])
def test_the_order_of_the_losses(options, first, second):
    model = method(**options)
    inputs, targets = data()
    for turn in range(4):
        found = {key for key in model.loss(inputs, None, targets) if 'loss' in key}
        assert found == (second if turn % 2 else first)
    assert hasattr(model, 'scene_head') == ('adversarial' in options.get('losses', BOTH) or
                                            'losses' not in options)


def test_joint_is_the_sum_of_both():
    inputs, targets = data()
    model = method(optimization='joint').eval()  # batch norm would see the batches in turn
    joint = gradients(model, None, inputs, targets)
    model.optimization, model.steps = 'alternate', 0
    parts = [gradients(model, None, inputs, targets) for _ in range(2)]
    for group in GROUPS:
        assert_gradients(joint[group], {
            name: gradient + (0 if parts[1][group][name] is None else parts[1][group][name])
            for name, gradient in parts[0][group].items()})


def test_a_probe_disturbs_nothing():
    """Section 4.3: the scene accuracy of an undisturbed backbone."""
    inputs, targets = data()
    model = method(reversal_scale=0., losses=('adversarial', ), predict_scene=True)
    found = gradients(model, None, inputs, targets)
    expected = gradients(model, F.cross_entropy(model.logits(inputs[:, 0])['action'],
                                                targets.action))
    assert_gradients(found['backbone'], expected['backbone'])
    assert all(g.any() for g in found['scene_head'].values())
    assert model.eval().probabilities(inputs[:, 0])['scene'].shape == (4, SCENES)
    assert 'scene' not in method().eval().logits(inputs[:, 0])


def test_the_teacher_sees_its_size():
    config = teacher()
    config['backbone'].update(input_size=(4, 32, 24))
    model = method(scene_teacher=config).eval()
    inputs, targets = data()
    seen = []
    model.scene_teacher.backbone.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    model.loss(inputs, None, targets)
    expected = F.interpolate(inputs[:, 0].transpose(1, 2).flatten(0, 1), (32, 24), mode='bilinear')
    torch.testing.assert_close(seen[0].transpose(1, 2).flatten(0, 1), expected)


def test_the_scene_classifier_is_the_published_one():
    """3 x (Linear 512, BatchNorm, ReLU), Linear; the batch norm stands before the ReLU."""
    head = method().train().scene_head
    assert [type(layer).__name__ for layer in head] == [
        'Linear', 'BatchNorm1d', 'ReLU'] * 3 + ['Linear']
    linear = [layer for layer in head if isinstance(layer, torch.nn.Linear)]
    assert [layer.out_features for layer in linear] == [512, 512, 512, SCENES]
    x = torch.randn(5, 24)
    found = head(x)
    for layer in linear[:-1]:
        x = x @ layer.weight.T + layer.bias
        x = (x - x.mean(0)) / (x.var(0, correction=0) + 1e-5).sqrt()
        x = x.clamp_min(0)
    torch.testing.assert_close(found, x @ linear[-1].weight.T + linear[-1].bias,
                               atol=1e-4, rtol=1e-4)


def test_accumulated_batches_belong_to_one_equation():
    """Two batches a step: Eq. 5 on both, then Eq. 6 on both, as with one larger batch."""
    inputs, targets = data()
    model = method().train()
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), 1e-3), accumulative_counts=2)
    wrapper.initialize_count_status(model, 0, 8)
    seen = []
    for _ in range(8):
        losses = model.loss(inputs, None, targets)
        seen.append('loss_confusion' in losses)
        wrapper.update_params(model.parse_losses(losses)[0])
    assert seen == [False, False, True, True, False, False, True, True]
    assert model.steps == 4


class NoSync(TorchDispatchMode):
    """Refuses what would wait for the device."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        assert func.overloadpacket.__name__ not in (
            '_local_scalar_dense', 'nonzero', 'is_nonzero', 'equal'), func
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize('optimization', ['alternate', 'joint'])
def test_no_step_waits_for_the_device(optimization):
    model = method(optimization=optimization, scene_teacher=teacher())
    inputs, targets = data()
    with NoSync():
        for _ in range(2):
            sum(value for key, value in model.loss(inputs, None, targets).items()
                if 'loss' in key).backward()
    with pytest.raises(AssertionError, match='_local_scalar_dense'), NoSync():
        inputs.sum().item()


@pytest.mark.parametrize('optimization, steps', [('alternate', 160), ('joint', 80)])
def test_overfits(optimization, steps):
    """It learns four clips and stays unsure where their figures are masked."""
    # on four clips an adversary of the paper's strength wins
    model = method(augments=FAME, optimization=optimization, reversal_scale=0.1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    items = batch()
    for _ in range(steps):
        losses = model.train()(**model.data_preprocessor(items, training=True), mode='loss')
        optimizer.zero_grad()
        model.parse_losses(losses)[0].backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.)
        optimizer.step()
        scheduler.step()
    inputs = model.data_preprocessor(items, training=True)
    assert model.confusion_loss(inputs['inputs'][:, 0], inputs['targets'])[
        'masked_entropy'] > 0.9 * torch.tensor(3.).log()
    samples = model.eval().test_step(items)
    assert [int(s.pred_score.argmax()) for s in samples] == [0, 1, 2, 0]


def test_distributed_training_needs_unused_parameters(tmp_path):
    """The scene classifier gets no gradient in every other iteration, and does not move."""
    torch.distributed.init_process_group('gloo', init_method=f'file://{tmp_path}/store', rank=0,
                                         world_size=1)
    try:
        for find in (True, False):
            model = method(augments=FAME)
            wrapped = MMDistributedDataParallel(model, find_unused_parameters=find)
            optim_wrapper = OptimWrapper(torch.optim.AdamW(model.parameters(), lr=1e-2))
            moved = []

            def step(model=model, wrapped=wrapped, optim_wrapper=optim_wrapper, moved=moved):
                before = model.scene_head[0].weight.detach().clone()
                wrapped.train_step(batch(), optim_wrapper)
                moved.append(not torch.equal(model.scene_head[0].weight, before))

            if find:
                for _ in range(4):
                    step()
                assert moved == [True, False, True, False]
            else:
                with pytest.raises(RuntimeError, match='find_unused_parameters'):
                    for _ in range(4):
                        step()
    finally:
        torch.distributed.destroy_process_group()


MODEL = '''
model = dict(_delete_=True, type='SceneAdversarial', num_classes=8, num_scene_classes=8,
    backbone=dict(type='ConvTokenEncoder', widths=(4, 4, 8, 24), num_heads=3),
    data_preprocessor=dict(type='DebiasDataPreprocessor', mean=[114.75] * 3, std=[57.38] * 3,
                           augments=[dict(type='FAMEMasks', tau=0.2)]))
'''


class StopAt(Hook):
    """A power failure at the end of an iteration."""

    def after_train_iter(self, runner, **kwargs):
        if runner.iter + 1 == 2:
            raise KeyboardInterrupt


def test_a_resumed_training_keeps_its_turn(tmp_path):
    """One iteration an epoch: after the first, the other loss has to be next."""
    from tiny_runs import make_config, make_data
    root = make_data(tmp_path / 'data')

    def train(name, stop=False, **overrides):
        (tmp_path / name).mkdir(exist_ok=True)
        cfg = make_config(tmp_path / name, root)
        model = tmp_path / name / 'model.py'
        model.write_text(MODEL.replace('_delete_=True, ', ''))
        cfg.model = cfg.fromfile(str(model)).model
        cfg.train_dataloader.update(batch_size=8, num_workers=0)
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
        cfg.test_cfg = cfg.test_dataloader = cfg.test_evaluator = None
        cfg.merge_from_dict(overrides)
        runner = Runner.from_cfg(cfg)
        if stop:
            runner.register_hook(StopAt())
            with pytest.raises(KeyboardInterrupt):
                runner.train()
        else:
            runner.train()
            assert runner.model.steps == 3
        return tmp_path / name / 'work'

    whole = train('whole') / 'epoch_3.pth'
    parts = train('parts', stop=True)
    newest = find_resumable(parts)
    assert newest.endswith('epoch_1.pth')
    train('parts', load_from=newest, resume=True)
    whole, parts = (load_checkpoint_file(str(path))['state_dict']
                    for path in (whole, parts / 'epoch_3.pth'))
    assert whole.keys() == parts.keys()
    for key, value in whole.items():
        assert torch.equal(value, parts[key]), key


@pytest.mark.parametrize('options, message', [
    (dict(losses=('entropy', )), r"losses must be among.*\('entropy',\)"),
    (dict(optimization='both'), "optimization must be one of.*'both'"),
    (dict(scene_labels='none'), "scene_labels must be one of.*'none'"),
    (dict(losses=('confusion', ), predict_scene=True), 'predict_scene needs')])
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        method(**options)


def test_missing_masks_and_labels():
    inputs, targets = data()
    targets.masks = None
    for options in (dict(optimization='joint'), {}):
        model = method(**options)
        with pytest.raises(ValueError, match='no masks.*LoadHumanBoxes.*FAMEMasks'):
            for _ in range(2):
                model.loss(inputs, None, targets)
    method(losses=('adversarial', )).loss(inputs, None, targets)
    targets.scene = None
    with pytest.raises(ValueError, match='no scene labels'):
        method(losses=('adversarial', )).loss(inputs, None, targets)


def test_the_schedule_follows_the_validation_loss(root):
    """Section 4.2: the rate is divided by 10 when the validation loss saturates."""
    cfg = Config.fromfile(root / 'configs/scene_adversarial/scene-adversarial_r3d-r18_2xb16-'
                          '16x1x1-100e_mini-kinetics200-rgb.py')
    metric = METRICS.build(cfg.val_evaluator)
    samples = [dict(gt_label=torch.tensor([label]), pred_score=torch.tensor(scores))
               for label, scores in ((0, [0.5, 0.3, 0.2]), (2, [0.1, 0.8, 0.1]))]
    samples.append(dict(gt_label=torch.tensor([1]), error='broken',
                        pred_score=torch.tensor([0., -1., 0.])))
    for part in (samples[:2], samples[2:]):
        metric.process({}, part)
    metrics = metric.evaluate(3)
    assert metrics['action_nll'] == pytest.approx(-(math.log(0.5) + math.log(0.1)) / 2)
    assert metrics['action_top1'] == pytest.approx(100 / 3)
    assert cfg.default_hooks.checkpoint.save_best in metrics

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))],
                                lr=cfg.optim_wrapper.optimizer.lr)
    scheduler = PARAM_SCHEDULERS.build(dict(optimizer=optimizer, **cfg.param_scheduler[0]))
    rates = []
    for epoch in range(26):
        scheduler.step()  # after the epoch
        scheduler.step(dict(action_nll=2. - 0.1 * min(epoch, 3)))  # after the validation
        rates.append(optimizer.param_groups[0]['lr'])
    assert rates[3:14] == [1e-3] * 11  # best at epoch 3, ten epochs of patience
    assert rates[14] == pytest.approx(1e-4)
    assert rates[25] == pytest.approx(1e-5)


def test_fine_tuning_moves_the_last_stage_only(root):
    cfg = Config.fromfile(root / 'configs/scene_adversarial/finetune_r3d-r18_2xb16-16x1x1-100e_'
                          'hmdb51-rgb.py')
    cfg.model.backbone.update(init_cfg=None, input_size=(4, 32, 32))
    cfg.model.backbone.backbone.base_channels = 4
    with DefaultScope.overwrite_default_scope('mmaction'):
        model = MODELS.build(cfg.model).train()
    moving = {name.split('.')[2] if name.startswith('backbone') else name.split('.')[0]
              for name, p in model.named_parameters() if p.requires_grad}
    assert moving == {'layer4', 'head'}


def test_fine_tuning_starts_from_the_pre_training(root, tmp_path):
    configs = root / 'configs/scene_adversarial'
    models = []
    for name in ('scene-adversarial_r3d-r18_2xb16-16x1x1-100e_mini-kinetics200-rgb.py',
                 'finetune_r3d-r18_2xb16-16x1x1-100e_hmdb51-rgb.py'):
        cfg = Config.fromfile(configs / name)
        cfg.model.backbone.update(input_size=(4, 32, 32))
        cfg.model.backbone.backbone.base_channels = 4
        cfg.model.scene_teacher = None
        if models:
            assert Path(cfg.load_from).parts[1] == 'scene-adversarial_r3d-r18_2xb16-16x1x1-100e_' \
                'mini-kinetics200-rgb'
        with DefaultScope.overwrite_default_scope('mmaction'):
            models.append(MODELS.build(cfg.model))
            models[-1].init_weights()
        torch.save(dict(state_dict=models[0].state_dict()), tmp_path / 'pretrained.pth')
    # as the runner does; the classifier, of other classes, starts anew
    load_checkpoint(models[1], str(tmp_path / 'pretrained.pth'))
    assert models[1].head.out_features == 51
    pretrained, tuned = (model.backbone.state_dict() for model in models)
    assert pretrained.keys() == tuned.keys()
    for name, value in pretrained.items():
        assert torch.equal(value, tuned[name]), name


def test_only_human_masks_need_boxes(root):
    """A training without human masks must not ask for files that it does not use."""
    rows = [f'choi_transfer_hmdb51.py:{name}/pretrain' for name in (
        'none', 'adversarial-hard', 'adversarial', 'human-mask', 'both')]
    rows += [f'{data}.py:scene-adversarial' for data in ('ucf101', 'kinetics400', 'hvu')]
    rows.append('choi_scene_accuracy.py:probe')
    for row in rows:
        cfg = read_row(f'benchmarks/{row}')
        steps = cfg.train_dataloader.dataset.pipeline
        boxes = any(step.type == 'LoadHumanBoxes' for step in steps)
        losses = cfg.model.get('losses', ('adversarial', 'confusion'))
        assert boxes == ('confusion' in losses), row
        assert ('masks' in steps[-1].algorithm_keys) == boxes, row
        pipeline = [step.type for step in steps if step.type != 'LoadHumanBoxes'] + [
            step.type for step in steps if step.type == 'LoadHumanBoxes' for step in step.geometry]
        if 'choi' in row:  # otherwise the clips are the same
            assert {*pipeline} == {'ReadClip', 'MultiScaleCrop', 'Resize', 'Flip', 'FormatShape',
                                   'PackActionInputs'}, row
