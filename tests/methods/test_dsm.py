"""DSM and MoCo: losses by hand, the key encoder, the bank, and learning a few clips."""
import pytest
import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from tiny_models import SIZE, batch

from devias_mm.methods.dsm import triplet_loss

BACKBONE = dict(type='ConvTokenEncoder', input_size=SIZE, widths=(8, 12, 24), num_heads=3)
DSM_VIEWS = [[], [dict(type='SpatialWarp')], [dict(type='MotionScaling')]]


def build(type: str, views=None, **kwargs) -> torch.nn.Module:
    if type == 'DSMTriplet':
        queue = {}
    else:
        queue = dict(queue_size=kwargs.pop('queue_size', 10))
    views = views or [[] for _ in range(2 if type == 'MoCo' else 3)]
    return MODELS.build(dict(
        type=type, backbone=BACKBONE, data_preprocessor=dict(
            type='ContrastiveDataPreprocessor', mean=[127.] * 3, std=[60.] * 3, views=views),
        **queue, **kwargs))


def views(number: int, clips: int = 4) -> torch.Tensor:
    return torch.randn(clips, number, 3, *SIZE)


def test_triplet_by_hand():
    anchor = torch.tensor([[1., 0.], [1., 0.]])
    near, far = torch.tensor([[1., 0.], [0.6, 0.8]]), torch.tensor([[-1., 0.], [1., 0.]])
    # first: 0 - 2 + 0.5 < 0; second: |(0.4, -0.8)| - 0 + 0.5
    expected = (0 + (0.4**2 + 0.8**2)**0.5 + 0.5) / 2
    assert float(triplet_loss(anchor, near, far, 0.5)) == pytest.approx(expected, abs=1e-4)
    assert float(triplet_loss(anchor, far, near, 0.5)) == pytest.approx(
        (2.5 + max(0 - 0.8**0.5 + 0.5, 0)) / 2, abs=1e-3)


def unit(rows: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(rows, 128, generator=generator), dim=-1)


def test_eq_7_by_hand():
    model = build('DSM', temperature=0.5)
    query, positive, negative = unit(4, 1), unit(4, 2), unit(4, 3)
    expected = 0.
    for q, p, n in zip(query, positive, negative):
        up = (q @ p / 0.5).exp()
        expected -= (up / (up + (q @ n / 0.5).exp() + sum(
            (q @ k / 0.5).exp() for k in model.queue))).log() / 4
    loss = model.contrast(query, positive, negative)['loss_contrastive']
    assert torch.allclose(loss, expected, atol=1e-5)


def test_eq_6_by_hand():
    model = build('MoCo')
    query, positive = unit(4, 1), unit(4, 2)
    expected = 0.
    for q, p in zip(query, positive):
        expected -= ((q @ p).exp() / ((q @ p).exp() + sum((q @ k).exp() for k in model.queue))
                     ).log() / 4
    result = model.contrast(query, positive)
    assert torch.allclose(result['loss_contrastive'], expected, atol=1e-5)
    top = [float(q @ p) > max(float(q @ k) for k in model.queue) for q, p in zip(query, positive)]
    assert float(result['contrast_top1']) == pytest.approx(25. * sum(top))


@pytest.mark.parametrize('type, kwargs, with_gradient', [
    ('MoCo', {}, [True, False]),
    ('DSM', {}, [True, False, True])])
def test_gradients_do_not_reach_keys_and_bank(type, kwargs, with_gradient):
    model = build(type, **kwargs).train()
    inputs = views(len(with_gradient)).requires_grad_()
    losses = model.loss(inputs, None)
    model.parse_losses(losses)[0].backward()
    for name, parameter in model.named_parameters():
        assert (parameter.grad is None) == name.startswith('key_encoder.'), name
        assert parameter.requires_grad != name.startswith('key_encoder.'), name
    assert not model.queue.requires_grad
    assert [bool(inputs.grad[:, view].any()) for view in range(len(with_gradient))] == \
        with_gradient
    names = set(dict(model.named_buffers())) & set(model.state_dict())
    assert {'queue', 'queue_pointer'} <= names


def test_triplet_has_gradients_through_all_views():
    model = build('DSMTriplet').train()
    inputs = views(3).requires_grad_()
    losses = model.loss(inputs, None)
    losses['loss_triplet'].backward()
    assert all(inputs.grad[:, view].abs().max() > 0 for view in range(3))
    assert not any(name.startswith('key') for name, _ in model.named_parameters())
    anchor, positive, negative = model.embed(torch.cat(inputs.unbind(1))).chunk(3)
    assert torch.allclose(anchor.norm(dim=1), torch.ones(4), atol=1e-5)
    by_hand = ((anchor - positive).norm(dim=1) - (anchor - negative).norm(dim=1) + 0.5).clamp(0)
    assert torch.allclose(losses['loss_triplet'], by_hand.mean(), atol=1e-4)


def test_momentum_update():
    model = build('MoCo', momentum=0.9)
    names = ('backbone', 'projection')
    pairs = [(getattr(model, name), model.key_encoder[name]) for name in names]
    for query, key in pairs:
        for own, other in zip(query.parameters(), key.parameters()):
            assert torch.equal(own, other)
            own.data.add_(torch.randn_like(own))
    expected = [0.9 * key_p + 0.1 * query_p for query, key in pairs
                for query_p, key_p in zip(query.parameters(), key.parameters())]
    before = [p.clone() for p in model.backbone.parameters()]
    model.update_key_encoder()
    found = [p for _, key in pairs for p in key.parameters()]
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(found, expected))
    assert all(torch.equal(a, b) for a, b in zip(before, model.backbone.parameters()))


def test_key_encoder_follows_once_a_step_and_starts_as_a_copy():
    model = build('MoCo', momentum=0.5, init_cfg=dict(type='Normal', layer='Linear', std=1.))
    model.init_weights()  # draws all weights anew
    name = 'projection.weight'
    assert torch.equal(model.state_dict()[name], model.state_dict()[f'key_encoder.{name}'])
    model.projection.weight.data.add_(1.)
    model.train().loss(views(2), None)
    gap = model.projection.weight - model.key_encoder['projection'].weight
    assert torch.allclose(gap, torch.full_like(gap, 0.5), atol=1e-5)


def test_bank_wraps():
    model = build('MoCo', queue_size=10)
    first, second = unit(4, 1), unit(8, 2)
    old = model.queue.clone()
    model.enqueue(first)
    assert int(model.queue_pointer) == 4
    assert torch.equal(model.queue[:4], first)
    assert torch.equal(model.queue[4:], old[4:])
    model.enqueue(second)
    assert int(model.queue_pointer) == 2
    assert torch.equal(model.queue[4:], second[:6])
    assert torch.equal(model.queue[:2], second[6:])
    assert torch.equal(model.queue[2:4], first[2:])
    with pytest.raises(ValueError, match='queue_size 10'):
        model.enqueue(unit(11, 3))


@pytest.mark.parametrize('bank', ['anchor', 'positive'])
def test_what_the_bank_keeps(bank):
    model = build('DSM', bank=bank).train()
    inputs = views(3)
    # evaluation statistics: a clip's embedding then does not depend on its batch
    model.key_encoder.eval()
    model.loss(inputs, None)
    kept = model.embed_keys(inputs[:, 0 if bank == 'anchor' else 1])
    assert torch.allclose(model.queue[:4], kept, atol=1e-5)


def test_positive_and_negative_are_not_mixed_up():
    model = build('DSM').eval()
    inputs = views(3)
    inputs[:, 1] = inputs[:, 0]  # the positive is the anchor
    inputs[:, 2] = 9 + 5 * inputs[:, 2]  # an untrained encoder sees little difference otherwise
    losses = model.loss(inputs, None)
    apart = (model.embed(inputs[:, 0]) * model.embed(inputs[:, 2])).sum(-1).mean()
    assert float(losses['cosine_positive']) == pytest.approx(1, abs=1e-5)
    assert float(losses['cosine_negative']) == pytest.approx(float(apart.detach()), abs=1e-5)
    assert float(apart) < 1 - 1e-4
    assert [key for key in losses if 'loss' in key] == ['loss_contrastive']


@pytest.mark.parametrize('bank', ['anchor', 'positive'])
def test_loss_is_that_of_the_embeddings(bank):
    """Eq. 7 from pixels: which view goes where, and the bank before this batch enters it."""
    model = build('DSM', bank=bank).eval()
    model.projection.weight.data.add_(torch.randn_like(model.projection.weight))
    inputs = views(3) * torch.tensor([1., 2., 4.]).view(1, 3, 1, 1, 1, 1)
    bank = model.queue.clone()
    losses = model.loss(inputs, None)
    query = model.embed(inputs[:, 0])
    positive = model.embed_keys(inputs[:, 1])  # by the key encoder as it is after its update
    negative = model.embed(inputs[:, 2])
    scores = torch.stack([(query * positive).sum(1), (query * negative).sum(1),
                          *(query @ key for key in bank)], dim=1)
    expected = -(scores[:, 0].exp() / scores.exp().sum(1)).log().mean()
    assert torch.allclose(losses['loss_contrastive'], expected, atol=1e-5)


def test_moco_contrasts_before_it_enqueues_and_after_it_updates_the_key_encoder():
    """Eq. 6 from pixels, with a bank as small as the batch and encoders that differ much."""
    model = build('MoCo', queue_size=4, momentum=0.5, temperature=0.2).eval()
    model.projection.weight.data.add_(torch.randn_like(model.projection.weight))
    key_before = model.key_encoder['projection'].weight.clone()
    inputs, bank = views(2), model.queue.clone()
    losses = model.loss(inputs, None)
    key_after = model.key_encoder['projection'].weight
    torch.testing.assert_close(key_after, (key_before + model.projection.weight) / 2)
    feature = model.backbone(inputs[:, 1]).tokens.mean(1)  # the backbones are still equal
    keys = F.normalize(feature @ key_after.T + model.key_encoder['projection'].bias, dim=-1)
    query = model.embed(inputs[:, 0])
    up = ((query * keys).sum(1) / 0.2).exp()
    expected = -(up / (up + (query @ bank.T / 0.2).exp().sum(1))).log().mean()
    torch.testing.assert_close(losses['loss_contrastive'], expected)
    torch.testing.assert_close(model.queue, keys)


def test_triplet_between_videos_takes_the_reversed_batch():
    """Published dsm_triplet: d(a, p) - d(a, p of another video) + margin, beside Eq. 5."""
    model = build('DSMTriplet', inter_video=True, margin=0.3).eval()
    inputs = views(3) * torch.tensor([1., 3., 9.]).view(1, 3, 1, 1, 1, 1)
    losses = model.loss(inputs, None)
    anchor, positive, negative = (model.embed(view) for view in inputs.unbind(1))

    def hinge(a, p, n):
        distance = (a - p).square().sum().sqrt() - (a - n).square().sum().sqrt()
        return max(float(distance) + 0.3, 0)

    intra = sum(hinge(*rows) for rows in zip(anchor, positive, negative)) / 4
    inter = sum(hinge(anchor[i], positive[i], positive[3 - i]) for i in range(4)) / 4
    assert float(losses['loss_triplet']) == pytest.approx(intra, abs=1e-4)
    assert float(losses['loss_inter_video']) == pytest.approx(inter, abs=1e-4)
    assert 'loss_inter_video' not in build('DSMTriplet').loss(inputs, None)


def test_wrong_views_and_values():
    for type, number in (('DSM', 2), ('MoCo', 3), ('DSMTriplet', 1)):
        with pytest.raises(ValueError, match='views of a clip'):
            build(type).loss(views(number), None)
    for bad in (dict(momentum=1.), dict(queue_size=0), dict(temperature=0.)):
        with pytest.raises(ValueError, match='MoCo'):
            build('MoCo', **bad)
    with pytest.raises(ValueError, match="'query'"):
        build('DSM', bank='query')
    with pytest.raises(ValueError, match='margin'):
        build('DSMTriplet', margin=-1)


def test_prediction_is_a_feature():
    model = build('MoCo').eval()
    sample = ActionDataSample(metainfo=dict(video_id='a'))
    clips = torch.randn(1, 2, 3, *SIZE)
    found = model.predict(clips, [sample])[0].feature
    assert torch.allclose(found, model.backbone(clips[0]).tokens.mean((0, 1)), atol=1e-5)


def test_fine_tuning_takes_the_backbone_as_it_is(tmp_path):
    from mmengine.runner import load_checkpoint
    model = build('DSM')
    for parameter in model.parameters():
        parameter.data.add_(torch.randn_like(parameter))
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'pretrained.pth')
    classifier = MODELS.build(dict(
        type='NaiveRecognizer', backbone=BACKBONE, num_classes=3))
    load_checkpoint(classifier, str(tmp_path / 'pretrained.pth'), map_location='cpu')
    for name, value in classifier.backbone.state_dict().items():
        assert torch.equal(value, model.backbone.state_dict()[name]), name


def three_views() -> dict:
    """Anchor, positive, and a negative that stands still."""
    data = batch()
    for sample in data['data_samples']:
        sample.set_field(torch.zeros(2, SIZE[0] - 1, *SIZE[1:], dtype=torch.float16), 'flow')
    data['inputs'] = [torch.cat([clip, clip, clip[:, :, :1].expand_as(clip)])
                      for clip in data['inputs']]
    return data


@pytest.mark.parametrize('type', ['MoCo', 'DSM', 'DSMTriplet'])
def test_learns_four_clips(type, monkeypatch):
    kwargs = {} if type == 'DSMTriplet' else dict(temperature=0.1, momentum=0.9)
    model = build(type, None if type == 'MoCo' else DSM_VIEWS, **kwargs)
    data = three_views()
    if type == 'MoCo':
        data['inputs'] = [clip[:2] for clip in data['inputs']]
    # four clips: the bank would hold the anchors themselves
    monkeypatch.setattr(model, 'enqueue', lambda keys: None, raising=False)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=4e-3)
    model.train()
    history = []
    for _ in range(50):
        losses = model(**model.data_preprocessor(data, training=True), mode='loss')
        loss, logs = model.parse_losses(losses)
        history.append({key: float(value.detach()) for key, value in logs.items()})
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.)
        optimizer.step()

    def mean(key, part):
        return sum(logs[key] for logs in part) / len(part)

    first, last = history[:5], history[-10:]
    assert mean('loss', last) < 0.6 * mean('loss', first)
    if type != 'MoCo':
        assert mean('cosine_positive', last) > mean('cosine_negative', last) + 0.3


def test_bank_holds_the_keys_of_all_processes(monkeypatch):
    model = build('MoCo', queue_size=10)
    mine, theirs = unit(4, 1), unit(4, 2)
    monkeypatch.setattr('devias_mm.methods.moco.all_gather', lambda keys: [keys, theirs])
    model.enqueue(mine)
    assert torch.equal(model.queue[:8], torch.cat([mine, theirs]))
    assert int(model.queue_pointer) == 8


def test_moco_contrasts_new_keys_with_the_old_bank():
    """The key encoder follows before its use, and the keys of this batch enter the bank after."""
    model = build('MoCo', momentum=0.5, temperature=0.1).eval()
    model.projection.weight.data.mul_(3.)
    model.projection.bias.data.normal_()
    inputs, bank = views(2), model.queue.clone()
    key = model.key_encoder['projection']
    followed = [0.5 * (own + other) for own, other in zip(
        key.parameters(), model.projection.parameters())]
    losses = model.loss(inputs, None)
    for found, expected in zip(key.parameters(), followed):
        assert torch.allclose(found, expected, atol=1e-6)
    query, positive = model.embed(inputs[:, 0]), model.embed_keys(inputs[:, 1])
    scores = torch.cat([(query * positive).sum(1, keepdim=True), query @ bank.t()], dim=1) / 0.1
    expected = F.cross_entropy(scores, torch.zeros(4, dtype=torch.long))
    assert torch.allclose(losses['loss_contrastive'], expected, atol=1e-5)
    assert torch.allclose(model.queue[:4], positive, atol=1e-6)
