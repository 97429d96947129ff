"""Slot attention against a plain Algorithm 1; matching against scipy; masks on tokens."""
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment

from devias_mm.layers import MaskDecoder, SlotAttention, assign_slots, pool_masks

B, N, D, K = 3, 20, 16, 3


def tokens() -> torch.Tensor:
    return torch.randn(B, N, D)


# as the paper prints it
PRINTED = dict(num_heads=1, head_dims=None, attn_norm='l2', out_proj=False, mlp_norm=False,
               final_norm=False)


def algorithm_1(attention: SlotAttention, features: torch.Tensor, norm: str = 'l2'):
    """DEVIAS, Algorithm 1 line by line, one clip and one head; M = ``num_iters``."""
    layer = attention.layers[0]
    slots, outputs, maps = attention.slots[0], [], []
    for x in features:
        s = slots
        for _ in range(attention.num_iters):
            q = layer.norm_slots(s) @ layer.to_q.weight.T
            k = layer.norm_tokens(x) @ layer.to_k.weight.T
            v = layer.norm_tokens(x) @ layer.to_v.weight.T
            logits = k @ q.T / np.sqrt(q.shape[-1])  # (N, K), as in Eq. 1
            a = logits.exp() / logits.exp().sum(1, keepdim=True)
            scale = a.square().sum(0).sqrt() if norm == 'l2' else a.sum(0)
            z = (a / scale).T @ v
            hidden = F.gelu((s + z) @ layer.mlp[0].weight.T + layer.mlp[0].bias)
            s = hidden @ layer.mlp[2].weight.T + layer.mlp[2].bias + s + z
        outputs.append(s)
        maps.append(a.T)
    return torch.stack(outputs), torch.stack(maps)


@pytest.mark.parametrize('norm', ['l1', 'l2'])
@pytest.mark.parametrize('iters', [1, 4])
def test_equals_algorithm_1(norm, iters):
    attention = SlotAttention(D, K, iters, **{**PRINTED, 'attn_norm': norm})
    for parameter in attention.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    x = tokens()
    slots, maps = attention(x)
    expected_slots, expected_maps = algorithm_1(attention, x, norm)
    torch.testing.assert_close(slots, expected_slots, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(maps, expected_maps, rtol=1e-4, atol=1e-5)


def test_softmax_axis():
    x = tokens()
    for heads in (1, 4):
        attention = SlotAttention(D, K, num_heads=heads)(x)[1]
        assert attention.shape == (B, K, N)
        torch.testing.assert_close(attention.sum(1), torch.ones(B, N))
    # over the tokens instead (the ablation): sums to 1 along N
    attention = SlotAttention(D, K, softmax_axis='tokens')(x)[1]
    torch.testing.assert_close(attention.sum(2), torch.ones(B, K))


@pytest.mark.parametrize('norm', ['l1', 'l2'])
def test_scale_of_the_update(norm):
    """With equal values v at every token, Z is v times the weights' sum along the tokens."""
    module = SlotAttention(D, K, 1, **{**PRINTED, 'attn_norm': norm})
    torch.nn.init.zeros_(module.layers[0].mlp[2].weight)
    torch.nn.init.zeros_(module.layers[0].mlp[2].bias)
    x = torch.randn(1, 1, D).expand(1, N, D)
    slots, attention = module(x)
    value = module.layers[0].to_v(module.layers[0].norm_tokens(x[0, 0]))
    # equal tokens get equal weights: 1 / N each, or 1 / sqrt(N)
    factor = 1. if norm == 'l1' else N**0.5
    torch.testing.assert_close(slots - module.slots, (factor * value).expand(1, K, D),
                               rtol=1e-4, atol=1e-5)


def test_tied_equals_untied_with_equal_weights():
    options = dict(num_iters=3, num_heads=2, head_dims=5, out_proj=True, mlp_norm=True,
                   final_norm=True)
    tied, untied = SlotAttention(D, K, **options), SlotAttention(D, K, tied=False, **options)
    assert len(tied.layers) == 1
    assert len(untied.layers) == 3
    state = untied.state_dict()
    for name in state:
        first = name.replace('layers.1.', 'layers.0.').replace('layers.2.', 'layers.0.')
        state[name] = tied.state_dict()[first]
    untied.load_state_dict(state)
    x = tokens()
    torch.testing.assert_close(tied(x), untied(x))
    # the later layers of the untied one do work
    with torch.no_grad():
        untied.layers[2].to_q.weight.neg_()
    assert not torch.allclose(tied(x)[1], untied(x)[1])


def test_permuted_tokens_permute_the_attention():
    module, x, order = SlotAttention(D, K), tokens(), torch.randperm(N)
    slots, attention = module(x)
    slots_permuted, attention_permuted = module(x[:, order])
    torch.testing.assert_close(slots_permuted, slots)
    torch.testing.assert_close(attention_permuted, attention[:, :, order])


@pytest.mark.parametrize('options, message', [
    (dict(attn_norm='l3'), r"attn_norm must be one of \('l1', 'l2'\), got 'l3'"),
    (dict(softmax_axis='keys'), 'softmax_axis'),
    (dict(num_heads=4, head_dims=512, out_proj=False), 'out_proj=True')])
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        SlotAttention(D, **options)


@pytest.mark.parametrize('slots', range(2, 7))
def test_hungarian_is_optimal(slots):
    action, scene = torch.randn(40, slots), torch.randn(40, slots)
    ours = torch.stack(assign_slots(action, scene), dim=1)
    for pair, costs in zip(ours, torch.stack([action, scene], dim=1).numpy()):
        rows, columns = linear_sum_assignment(costs)  # 2 targets x K slots
        assert rows.tolist() == [0, 1]
        assert pair.tolist() == columns.tolist()


@pytest.mark.parametrize('slots', [2, 4])
def test_other_assignments(slots):
    action, scene = torch.randn(30, slots), torch.randn(30, slots)
    costs = torch.stack([action, scene], dim=1).numpy()

    greedy = torch.stack(assign_slots(action, scene, 'greedy'), dim=1)
    for pair, cost in zip(greedy.tolist(), costs):
        first = np.unravel_index(cost.argmin(), cost.shape)
        rest = cost[1 - first[0]].copy()
        rest[first[1]] = np.inf
        assert pair[first[0]] == first[1]
        assert pair[1 - first[0]] == rest.argmin()

    batch = torch.stack(assign_slots(action, scene, 'batch'), dim=1)
    assert (batch == linear_sum_assignment(costs.sum(0))[1]).all()

    hard = torch.stack(assign_slots(action, scene, 'hard'), dim=1)
    assert (hard == torch.tensor([0, 1])).all()
    for assigned in (greedy, batch, hard):
        assert assigned.dtype == torch.int64
        assert assigned.shape == (30, 2)


def test_greedy_differs_from_hungarian():
    """Greedy takes the cheapest entry, though the other pair costs less in total."""
    action, scene = torch.tensor([[0., 1.]]), torch.tensor([[-1., 5.]])
    assert [int(s) for s in assign_slots(action, scene)] == [1, 0]
    action, scene = torch.tensor([[0., 0.5]]), torch.tensor([[0.1, 9.]])
    assert [int(s) for s in assign_slots(action, scene, 'greedy')] == [0, 1]
    assert [int(s) for s in assign_slots(action, scene)] == [1, 0]


def test_assignment_takes_costs_with_gradient():
    logits = torch.randn(4, 2, requires_grad=True)
    action, scene = assign_slots(logits, -logits)
    assert not action.requires_grad
    assert (action != scene).all()


def test_bad_assignments():
    with pytest.raises(ValueError, match='at least 2 slots, got 1'):
        assign_slots(torch.zeros(2, 1), torch.zeros(2, 1))
    with pytest.raises(ValueError, match="unknown slot assignment 'best'.*hungarian"):
        assign_slots(torch.zeros(2, 2), torch.zeros(2, 2), 'best')


def test_mask_decoder():
    decoder = MaskDecoder(D, 49, (12, 10))
    widths = [m.out_features for m in decoder.layers if isinstance(m, torch.nn.Linear)]
    assert widths == [12, 10, 49]  # the 3-layer MLP
    slots = torch.randn(64, 2, D)
    logits = decoder(slots)
    assert logits.shape == (64, 2, 49)
    # logits, neither squashed nor clipped at the end
    assert logits.min() < 0 < logits.max()
    torch.testing.assert_close(decoder(slots[3, 1]), logits[3, 1])


@pytest.mark.parametrize('masks_per_clip', [2, 4, 8])
def test_pool_masks_orientation(masks_per_clip):
    """A mask in a corner of the second quarter of the clip lands in that token."""
    grid = (2, 3, 4)
    masks = torch.zeros(2, masks_per_clip, 12, 16)
    masks[1, masks_per_clip // 2:, :4, 12:] = 1.  # row 0, column 3 of the second half
    masks[0, :, 8:10, :4] = 1.  # half of row 2, column 0, all the time
    pooled = pool_masks(masks, grid)
    assert pooled.shape == (2, 2, 12)
    expected = torch.zeros(2, 2, 3, 4)
    expected[1, 1, 0, 3] = 1.
    expected[0, :, 2, 0] = 0.5
    torch.testing.assert_close(pooled, expected.flatten(2))


def test_pool_masks_of_a_single_clip_mask():
    mask = torch.rand(1, 1, 8, 8)
    pooled = pool_masks(mask, (4, 2, 2))
    torch.testing.assert_close(pooled, F.avg_pool2d(mask, 4).flatten(2).expand(1, 4, 4))
