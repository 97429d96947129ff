"""Token backbones against MMAction2's ViT, and their token grid."""
import math

import pytest
import torch
from mmaction.models.backbones.vit_mae import Attention, VisionTransformer

from devias_mm.layers import ConvTokenEncoder, TokenViT
from devias_mm.layers.attention_block import SDPAttention
from devias_mm.layers.conv_tokens import sinusoid_encoding_3d

VIT = dict(img_size=32, patch_size=8, embed_dims=24, depth=3, num_heads=3, num_frames=4,
           tubelet_size=2)


def randomise(module: torch.nn.Module) -> None:
    """Biases and norms start at 0 and 1, which would hide a mistake in them."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.3)


def clips(batch: int = 2, frames: int = 4, size: int = 32) -> torch.Tensor:
    return torch.randn(batch, 3, frames, size, size)


@pytest.mark.parametrize('qkv_bias', [True, False])
@pytest.mark.parametrize('qk_scale', [None, 0.7])
def test_attention_equals_the_materialised_one(qkv_bias, qk_scale):
    theirs = Attention(24, 3, qkv_bias=qkv_bias, qk_scale=qk_scale).double()
    ours = SDPAttention(24, 3, qkv_bias=qkv_bias, qk_scale=qk_scale).double()
    randomise(theirs)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(2, 10, 24, dtype=torch.double)
    inputs = [x.clone().requires_grad_() for _ in range(2)]
    outputs = [module(value) for module, value in zip((ours, theirs), inputs)]
    torch.testing.assert_close(*outputs, rtol=0, atol=1e-6)
    for output in outputs:
        output.square().sum().backward()
    torch.testing.assert_close(inputs[0].grad, inputs[1].grad)
    for (name, a), b in zip(ours.named_parameters(), theirs.parameters()):
        torch.testing.assert_close(a.grad, b.grad, msg=lambda text, name=name: f'{name}: {text}')


@pytest.mark.parametrize('extra', [{}, dict(init_values=0.5), dict(qk_scale=0.1)])
def test_vit_tokens_equal_the_parents(extra):
    theirs = VisionTransformer(**VIT, use_mean_pooling=False, return_feat_map=True, **extra)
    randomise(theirs)
    ours = TokenViT(**VIT, **extra)
    ours.load_state_dict(theirs.state_dict())
    x = clips()
    features = ours(x)
    expected = theirs(x)  # (B, D, T', H', W')
    assert features.grid == tuple(expected.shape[2:]) == (2, 4, 4)
    torch.testing.assert_close(features.tokens, expected.flatten(2).transpose(1, 2),
                               rtol=1e-5, atol=1e-5)
    assert features.extra.shape == (2, 0, 24)


def test_vit_loads_a_mean_pooling_checkpoint():
    """VideoMAE's fine-tuned checkpoints: the pooling norm belongs to the recognizer."""
    theirs = VisionTransformer(**VIT)
    ours = TokenViT(**VIT, final_norm=False)
    missing, unexpected = ours.load_state_dict(theirs.state_dict(), strict=False)
    assert not missing
    assert set(unexpected) == {'fc_norm.weight', 'fc_norm.bias'}
    randomise(theirs)
    ours.load_state_dict(theirs.state_dict(), strict=False)
    x = clips()
    torch.testing.assert_close(theirs.fc_norm(ours(x).tokens.mean(1)), theirs(x),
                               rtol=1e-5, atol=1e-5)


def sinusoid(position: int, width: int) -> list:
    """A row of the table of "Attention is all you need", number by number."""
    row = []
    for channel in range(width):
        angle = position / 10000**(2 * (channel // 2) / width)
        row.append(math.sin(angle) if channel % 2 == 0 else math.cos(angle))
    return row


@pytest.mark.parametrize('extra', [0, 1, 2])
def test_positions_of_extra_tokens_come_first(extra):
    """The published multi-task model: positions 0, 1 to the class tokens, 2 ... to the patches."""
    model = TokenViT(**VIT, num_extra_tokens=extra).eval()
    entered = []
    model.blocks[0].register_forward_pre_hook(lambda module, args: entered.append(args[0]))
    x = clips()
    model(x)
    patches = model.patch_embed(x)[0]
    assert patches.shape == (2, 32, 24)
    table = torch.tensor([sinusoid(position, 24) for position in range(extra + 32)])
    torch.testing.assert_close(entered[0][:, extra:], patches + table[extra:])
    if extra:
        expected = (model.extra_tokens + table[:extra]).expand(2, -1, -1)
        torch.testing.assert_close(entered[0][:, :extra], expected)
    # the table is part of the state: a checkpoint of other positions does not load in silence
    assert model.state_dict()['pos_embed'].shape == (1, extra + 32, 24)


def test_extra_tokens_need_the_fixed_table():
    with pytest.raises(ValueError, match='use_learnable_pos_emb'):
        TokenViT(**VIT, num_extra_tokens=2, use_learnable_pos_emb=True)


def test_learnable_position_table():
    model = TokenViT(**VIT, use_learnable_pos_emb=True)
    assert model.pos_embed.requires_grad
    assert model(clips()).tokens.shape == (2, 32, 24)


@pytest.mark.parametrize('build', [
    lambda n: TokenViT(**VIT, num_extra_tokens=n),
    lambda n: ConvTokenEncoder((4, 32, 32), (6, 6, 6, 24), num_heads=3, num_extra_tokens=n)])
def test_extra_tokens(build):
    model = build(2).eval()
    randomise(model)
    x, encoded = clips(), []
    model.norm.register_forward_hook(lambda module, args, output: encoded.append(output))
    features = model(x)
    assert torch.equal(encoded[0], torch.cat([features.extra, features.tokens], dim=1))
    patches = features.grid[0] * features.grid[1] * features.grid[2]
    assert features.tokens.shape == (2, patches, 24)
    assert features.extra.shape == (2, 2, 24)
    assert not torch.allclose(features.extra[:, 0], features.extra[:, 1])
    # they read the clip, and the patches read them
    assert not torch.allclose(features.extra[0], features.extra[1])
    with torch.no_grad():
        model.extra_tokens[:, 0].neg_()
    assert not torch.allclose(model(x).tokens, features.tokens)
    model(x).extra.square().sum().backward()
    assert (model.extra_tokens.grad.abs().sum(-1) > 0).all()


def test_extra_tokens_start_distinct():
    for model in (TokenViT(**VIT, num_extra_tokens=2),
                  ConvTokenEncoder((4, 32, 32), num_extra_tokens=2)):
        first, second = model.extra_tokens[0]
        assert not torch.allclose(first, second)


@pytest.mark.parametrize('build', [
    lambda: TokenViT(**VIT), lambda: ConvTokenEncoder((4, 32, 32), (6, 6, 6, 24), num_heads=3)])
@pytest.mark.parametrize('shape', [(4, 40, 32), (6, 32, 32), (4, 16, 16)])
def test_wrong_clip_size(build, shape):
    with pytest.raises(ValueError, match=r'built for clips of \(4, 32, 32\).*got'):
        build()(torch.randn(1, 3, *shape))


def test_mean_pooling_is_refused():
    with pytest.raises(ValueError, match='pool_norm'):
        TokenViT(**VIT, use_mean_pooling=True)


def test_conv_encoder_grid_order():
    """A spot in one place of one frame pair is seen by the token of that place."""
    model = ConvTokenEncoder((8, 48, 32), (4, 4, 4, 24), depth=0, num_heads=3).eval()
    model.norm = torch.nn.Identity()
    for parameter in model.stem.parameters():  # smoothing kernels: the answer peaks at the spot
        torch.nn.init.constant_(parameter, 0.1)
    assert model.grid == (4, 6, 4)
    background = torch.zeros(1, 3, 8, 48, 32)
    spot = background.clone()
    # tubelet 2, row 3, column 1; the field of view of a token is centred on its first pixel
    spot[:, :, 4:5, 24:28, 8:12] = 50.
    change = (model(spot).tokens - model(background).tokens).abs().sum(-1).view(4, 6, 4)
    assert change.argmax() == (2 * 6 + 3) * 4 + 1
    assert change[:, 0, 3].max() < 0.05 * change.max()


@pytest.mark.parametrize('size', [(7, 48, 48), (8, 44, 48), (8, 48, 50)])
def test_conv_encoder_needs_divisible_clips(size):
    with pytest.raises(ValueError, match='multiples of 8'):
        ConvTokenEncoder(size)


def test_sinusoid_3d_tells_positions_apart():
    table = sinusoid_encoding_3d((3, 4, 5), 24).view(3, 4, 5, 24)
    # the channels of an axis do not depend on the other axes
    assert torch.equal(table[:, :1, :1, :8].expand(3, 4, 5, 8), table[..., :8])
    assert torch.equal(table[:1, :, :1, 8:16].expand(3, 4, 5, 8), table[..., 8:16])
    assert torch.equal(table[:1, :1, :, 16:].expand(3, 4, 5, 8), table[..., 16:])
    distance = torch.cdist(table.view(60, 24), table.view(60, 24)) + 9 * torch.eye(60)
    assert distance.min() > 0.1
