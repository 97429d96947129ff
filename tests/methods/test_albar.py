"""ALBAR: the signs and gradients of its four terms, and what each of them reaches."""
from pathlib import Path

import mmaction
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.registry import DefaultScope
from tiny_models import ACTIONS, SIZE, batch, build
from torch import nn

from devias_mm.layers import TokenFeatures
from devias_mm.methods.albar import gradient_penalty
from devias_mm.structures import ClipTargets

ONLY = dict(action_weight=0., static_weight=0., entropy_weight=0., gradient_weight=0.)


def clips(size: int = 3) -> torch.Tensor:
    return torch.randn(size, 1, 3, *SIZE)


def targets(*labels: int) -> ClipTargets:
    return ClipTargets(torch.tensor(labels))


def middle_frame(inputs: torch.Tensor) -> torch.Tensor:
    """The third of four frames, in all of them."""
    return inputs[:, 0, :, 2:3].expand(-1, -1, SIZE[0], -1, -1)


def gradients(model, loss) -> dict:
    model.zero_grad()
    loss.backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize('training', [True, False])
def test_terms_by_hand(training):
    model = build(type='ALBAR', static_weight=2.).train(training)
    inputs, labels = clips(), targets(0, 2, 1)
    for p in model.head.parameters():
        nn.init.normal_(p)  # far from uniform
    losses = model.loss(inputs, None, labels)
    # one batch, so that batch norms see both
    still = middle_frame(inputs).clone().requires_grad_()
    logits, static = model.logits(torch.cat([inputs[:, 0], still]))['action'].chunk(2)
    p = static.softmax(-1)
    cross_entropy = -p[torch.arange(3), labels.action].log().mean()
    torch.testing.assert_close(losses['loss_static'], -2 * cross_entropy)
    torch.testing.assert_close(losses['loss_entropy'], 4.25 * (p * p.log()).sum(1).mean())
    gradient, = torch.autograd.grad(static.sum(), still, retain_graph=True)
    # of each image column of each clip by itself
    norms = [gradient[i, ..., w].square().sum().sqrt() for i in range(3) for w in range(SIZE[2])]
    torch.testing.assert_close(losses['loss_gradient'], 10 * sum(norms) / (3 * SIZE[2]))
    torch.testing.assert_close(losses['loss_action'], nn.functional.cross_entropy(
        logits, labels.action))
    assert [key for key in losses if 'loss' in key] == [
        'loss_action', 'loss_static', 'loss_entropy', 'loss_gradient']
    assert not any(losses[key].requires_grad for key in losses if 'loss' not in key)


def test_a_step_ascends_on_still_clips_and_descends_on_moving_ones():
    """A small step against the gradient: which way does each cross entropy go?"""
    inputs, labels = clips(), targets(0, 2, 1)

    def cross_entropies(model):
        with torch.no_grad():
            return [nn.functional.cross_entropy(model.logits(x)['action'], labels.action)
                    for x in (inputs[:, 0], middle_frame(inputs))]

    for weights, term, direction in (
            (dict(action_weight=1.), 0, -1), (dict(static_weight=1.), 1, 1)):
        model = build(type='ALBAR', **{**ONLY, **weights}).eval()
        before = cross_entropies(model)[term]
        loss = model.parse_losses(model.loss(inputs, None, labels))[0]
        grads = gradients(model, loss)
        with torch.no_grad():
            for name, p in model.named_parameters():
                p -= 1e-3 * grads[name]
        assert direction * (cross_entropies(model)[term] - before) > 1e-6


def test_entropy_of_still_clips_goes_up():
    inputs, labels = clips(), targets(0, 2, 1)
    model = build(type='ALBAR', **{**ONLY, 'entropy_weight': 1.}).eval()
    nn.init.normal_(model.head.weight)
    optimizer, entropies = torch.optim.SGD(model.parameters(), 1e-3), []
    for _ in range(10):
        losses = model.loss(inputs, None, labels)
        entropies.append(float(losses['static_entropy']))
        optimizer.zero_grad()
        losses['loss_entropy'].backward()
        optimizer.step()
    assert entropies == sorted(entropies) and entropies[-1] > entropies[0] + 1e-3
    assert entropies[-1] <= torch.tensor(float(ACTIONS)).log() + 1e-6


def test_gradient_penalty_against_finite_differences():
    """Double backward through convolutions and attention: its gradient is the true one."""
    torch.manual_seed(0)
    model = build(type='ALBAR', **{**ONLY, 'gradient_weight': 1.}).double().eval()
    for module in model.modules():  # the kink of a ReLU has no second derivative
        for name, child in module.named_children():
            if isinstance(child, nn.ReLU):
                setattr(module, name, nn.Softplus())
    inputs, labels = clips(2).double(), targets(0, 1)

    def penalty():
        return model.loss(inputs, None, labels)['loss_gradient']

    grads = gradients(model, penalty())
    for name in ('head.weight', 'backbone.blocks.0.attn.qkv.weight', 'backbone.stem.0.weight'):
        parameter = model.get_parameter(name)
        direction = torch.randn_like(parameter)
        values = []
        for sign in (1, -1):
            with torch.no_grad():
                parameter += sign * 1e-5 * direction
            values.append(float(penalty()))
            with torch.no_grad():
                parameter -= sign * 1e-5 * direction
        expected = (values[0] - values[1]) / 2e-5
        assert abs(expected) > 1e-8
        assert float((grads[name] * direction).sum()) == pytest.approx(expected, rel=1e-4), name


def test_gradient_penalty_on_numbers():
    gradient = torch.zeros(2, 3, 4, 5, 6)
    gradient[0, 1, 2, 3, 4] = 3.
    gradient[0, 0, 0, 0, 4] = -4.  # same column: 5
    gradient[1, 2, 3, 4, 0] = 2.
    gradient[1, 2, 3, 4, 5] = 2.  # another column: 2 more
    expected = (5 + 2 + 2 + 9 * 1e-6) / 12
    assert float(gradient_penalty(gradient)) == pytest.approx(expected, rel=1e-6)
    # without the 1e-12 the derivative at 0 would not be a number
    flat = torch.zeros(1, 3, 4, 5, 6, requires_grad=True)
    gradient_penalty(flat).backward()
    assert not flat.grad.any()


def test_the_inputs_get_no_gradient_and_no_change():
    model = build(type='ALBAR').train()
    inputs = clips()
    before = inputs.clone()
    model.parse_losses(model.loss(inputs, None, targets(0, 1, 2)))[0].backward()
    assert torch.equal(inputs, before)
    assert not inputs.requires_grad and inputs.grad is None


def test_mixed_labels_and_views():
    model = build(type='ALBAR', augments=[dict(type='Mixup', num_classes=ACTIONS)]).train()
    data = model.data_preprocessor(batch(views=2), training=True)
    assert data['targets'].action.shape == (8, ACTIONS)
    assert all(torch.isfinite(value).all() for value in model(**data, mode='loss').values())


def test_without_penalty_nothing_is_differentiated_twice(monkeypatch):
    monkeypatch.setattr(torch.autograd, 'grad', None)
    losses = build(type='ALBAR', gradient_weight=0.).loss(clips(), None, targets(0, 1, 2))
    assert 'loss_gradient' not in losses


def test_static_term_on_known_logits(monkeypatch):
    """A model that reads one pixel: all numbers can be worked out."""
    model = build(type='ALBAR')
    model.head = nn.Linear(24, ACTIONS, bias=False)
    nn.init.zeros_(model.head.weight)
    model.head.weight.data[:, 0] = torch.tensor([1., 0., 3.])
    monkeypatch.setattr(model, 'extract_feat', lambda x: TokenFeatures(
        x.new_zeros(len(x), 1, 24) + x[:, 0, 0, 0, 0].view(-1, 1, 1), None, None))
    inputs = torch.zeros(1, 1, 3, *SIZE)
    inputs[0, 0, 0, 2, 0, 0] = 2.  # channel 0 of the middle frame, which the still clip begins with
    losses = model.loss(inputs, None, targets(1))
    log_p = torch.tensor([2., 0., 6.]).log_softmax(0)
    torch.testing.assert_close(losses['loss_static'], log_p[1])
    # 4 in the first of 16 columns, sqrt(1e-12) in the others
    torch.testing.assert_close(losses['loss_gradient'], torch.tensor(10 * (4 + 15e-6) / 16))
    torch.testing.assert_close(losses['loss_action'], torch.tensor(float(ACTIONS)).log())


@pytest.mark.parametrize('options, message', [
    (dict(task='scene'), "must be 'action', got 'scene'"),
    (dict(static_weight=-1.), 'static_weight must not be negative.*got -1.0')])
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        build(type='ALBAR', **options)


def test_released_setting(root):
    """HMDB-51, Swin-T from Kinetics-400; the weights of the terms are the defaults."""
    name = '{}_swin-tiny_4xb4-32x2x1-50e_hmdb51-rgb.py'
    cfg = Config.fromfile(root / 'configs/albar' / name.format('albar'))
    naive = Config.fromfile(root / 'configs/naive' / name.format('naive-action'))
    assert cfg.model == dict(naive.model, type='ALBAR')
    assert {key for key in cfg if cfg[key] != naive[key]} == {'model'}
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.lr, optimizer.weight_decay) == ('AdamW', 1e-5, 0.05)
    warmup, cosine = cfg.param_scheduler
    assert (warmup.type, warmup.end, cosine.type, cosine.begin, cosine.end) == (
        'LinearLR', 5, 'CosineAnnealingLR', 5, 50)
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        sampler = loader.dataset.pipeline[0].sampler
        assert (sampler.clip_len, sampler.frame_interval) == (32, 2)
    backbone = dict(cfg.model.backbone, init_cfg=None)
    with DefaultScope.overwrite_default_scope('mmaction'):
        tokens = MODELS.build(backbone)
    # the names and shapes of MMAction2's own recognizer, whose weights it starts from
    shipped = Config.fromfile(Path(mmaction.__file__).parent
                              / '.mim/configs/_base_/models/swin_tiny.py').model
    with DefaultScope.overwrite_default_scope('mmaction'):
        shipped = MODELS.build(dict(shipped.backbone, pretrained2d=False))
    assert tokens.grid == (16, 7, 7) and tokens.embed_dims == 768
    assert {key.removeprefix('backbone.'): value.shape
            for key, value in tokens.state_dict().items()} == {
        key: value.shape for key, value in shipped.state_dict().items()}


def test_accumulated_batches_are_one_batch():
    """Each term is a mean over clips that do not see each other (no batch norm)."""
    inputs, labels = torch.randn(4, 1, 3, 4, 32, 32), torch.tensor([0, 2, 1, 1])
    weights = []
    for count in (1, 2):
        torch.manual_seed(0)
        model = MODELS.build(dict(type='ALBAR', num_classes=ACTIONS, backbone=dict(
            type='TokenViT', img_size=32, depth=2, embed_dims=24, num_heads=2, num_frames=4)))
        wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1),
                               accumulative_counts=count)
        wrapper.initialize_count_status(model, 0, count)
        for part in range(count):
            clips, classes = (tensor.chunk(count)[part] for tensor in (inputs, labels))
            wrapper.update_params(model.parse_losses(model.loss(
                clips, None, ClipTargets(classes)))[0])
        weights.append(nn.utils.parameters_to_vector(model.parameters()))
    torch.testing.assert_close(*weights, atol=1e-5, rtol=1e-4)
