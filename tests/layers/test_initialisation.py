"""Initial weights of what is new in fine-tuning, as published: mean, deviation and bias."""
import pytest
import torch
from mmaction.registry import MODELS
from torch import nn

from devias_mm.layers import MaskDecoder, SlotAttention, init_head, init_linears

WIDTH = 96


def assert_normal(weight: torch.Tensor, std: float) -> None:
    """Mean, deviation and shape: of a uniform distribution no value is beyond 1.74 deviations."""
    count = weight.numel()
    assert abs(float(weight.mean())) < 5 * std / count**0.5
    assert float(weight.std()) == pytest.approx(std, rel=5 / count**0.5)
    assert float((weight.abs() > 1.8 * std).float().mean()) == pytest.approx(0.072, abs=0.03)


def build(type: str, **kwargs) -> nn.Module:
    """A recognizer as a training starts with it, so after ``init_weights``."""
    backbone = dict(type='TokenViT', img_size=16, patch_size=8, embed_dims=WIDTH, depth=1,
                    num_heads=2, num_frames=2, num_extra_tokens=kwargs.pop('extra', 0))
    model = MODELS.build(dict(type=type, backbone=backbone, num_classes=20, num_scene_classes=30,
                              **kwargs))
    model.init_weights()
    return model


def test_slot_attention_and_mask_decoder():
    torch.manual_seed(0)
    attention = SlotAttention(WIDTH, num_heads=4, head_dims=48, out_proj=True, mlp_norm=True,
                              tied=False, num_iters=2)
    layers = [layer for part in (attention, MaskDecoder(WIDTH, 49))
              for layer in part.modules() if isinstance(layer, nn.Linear)]
    assert len(layers) == 2 * 6 + 3
    for layer in layers:
        assert_normal(layer.weight, 0.02)
        assert layer.bias is None or not layer.bias.any()
    assert_normal(SlotAttention(WIDTH, num_slots=50).slots, 1.)


@pytest.mark.parametrize('type, heads, options', [
    ('NaiveRecognizer', ['head'], dict()),
    ('NaiveRecognizer', ['head'], dict(task='scene', pool_norm=True)),
    ('TokenRecognizer', ['action_head', 'scene_head'], dict(extra=2)),
    ('TokenRecognizer', ['head'], dict(extra=2, unified_head=True)),
    ('DEVIAS', ['head'], dict(slot_attention=dict()))])
def test_classifiers(type, heads, options):
    torch.manual_seed(0)
    model = build(type, **options)
    for name in heads:
        head = model.get_submodule(name)
        assert_normal(head.weight, 2e-5)
        assert not head.bias.any()
    model = build(type, init_scale=1., **options)
    for name in heads:
        assert_normal(model.get_submodule(name).weight, 0.02)


def test_encoder_and_extra_tokens():
    torch.manual_seed(0)
    backbone = build('TokenRecognizer', extra=2).backbone
    assert_normal(backbone.extra_tokens, 0.02)
    assert_normal(backbone.blocks[0].mlp.layers[1].weight, 0.02)
    assert not backbone.blocks[0].attn.proj.bias.any()


def test_helpers_change_only_linear_layers_in_place():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Linear(40, 50))
    convolution = module[0].weight.clone()
    assert init_linears(module) is module
    assert torch.equal(module[0].weight, convolution)
    assert module[0].bias.any()
    assert_normal(module[1].weight, 0.02)
    head = nn.Linear(40, 50)
    assert init_head(head, 0.5) is head
    assert_normal(head.weight, 0.01)
    assert not head.bias.any()
