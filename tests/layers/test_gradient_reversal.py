"""Gradient reversal: what comes back, and what does not change."""
import pytest
import torch
from torch.autograd import gradcheck

from devias_mm.layers import GradientReversal


def test_identity_forward():
    x = torch.randn(3, 5)
    for scale in (0., 0.5, 2.):
        assert torch.equal(GradientReversal(scale)(x), x)


@pytest.mark.parametrize('scale', [0., 0.5, 2.])
def test_the_gradient_is_turned_and_scaled(scale):
    x = torch.randn(3, 5, requires_grad=True)
    gradient = torch.randn(3, 5)
    GradientReversal(scale)(x).backward(gradient)
    assert torch.equal(x.grad, -scale * gradient)


def test_two_reversals_are_none():
    x = torch.randn(4, 2, dtype=torch.double, requires_grad=True)
    reverse = GradientReversal(1.)
    # one alone is no derivative of its forward pass, two are
    assert gradcheck(lambda value: reverse(reverse(value)).square(), (x, ))
    assert not gradcheck(lambda value: reverse(value).square(), (x, ), raise_exception=False)


def test_what_lies_behind_learns_normally():
    """One step lowers the classifier's loss if it moves alone and raises it if the features do."""
    torch.manual_seed(1)
    feature = torch.randn(8, 6, requires_grad=True)
    head = torch.nn.Linear(6, 3)
    label = torch.arange(8) % 3

    def loss(x):
        return torch.nn.functional.cross_entropy(head(x), label)

    before = loss(GradientReversal(0.5)(feature))
    before.backward()
    with torch.no_grad():
        assert loss(feature - 0.5 * feature.grad) > before
        for parameter in head.parameters():
            parameter -= 0.1 * parameter.grad
        assert loss(feature) < before


def test_under_autocast_and_the_printed_form():
    x = torch.randn(2, 4, requires_grad=True)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        y = GradientReversal(0.5)(torch.nn.Linear(4, 4)(x))
    assert y.dtype == torch.bfloat16
    y.float().sum().backward()
    assert x.grad is not None
    assert repr(GradientReversal(0.25)) == 'GradientReversal(scale=0.25)'


def test_a_negative_scale_is_refused():
    with pytest.raises(ValueError, match='negative, got -0.5'):
        GradientReversal(-0.5)
