"""The plain formulation that ``benchmarks/speed/devias_step.py`` compares against."""
import sys

import pytest
import torch


@pytest.fixture
def speed(root, monkeypatch):
    """The benchmark and its plain formulation, which are scripts and no package."""
    monkeypatch.syspath_prepend(str(root / 'benchmarks' / 'speed'))
    import devias_step
    import plain_devias
    yield devias_step, plain_devias
    for name in ('devias_step', 'plain_devias'):
        sys.modules.pop(name)


def test_a_step_equals_the_plain_one(speed):
    benchmark, plain = speed
    model = benchmark.build_model(depth=1, size=32)
    clips, targets = benchmark.make_batch(2, torch.device('cpu'), size=32)
    ours = {name: value.clone() for name, value in benchmark.step(model, clips, targets).items()}
    with plain.plain_formulation():
        assert model.slot_attention.forward.__func__ is plain.plain_slot_attention
        expected = benchmark.step(model, clips, targets)
    assert expected.keys() == ours.keys() > {'loss_action', 'loss_scene', 'loss_mask', 'gradient'}
    assert benchmark.largest_difference(ours, expected) < 1e-5


def test_fame_equals_the_plain_one(speed):
    benchmark, plain = speed
    clips, fame = torch.rand(2, 3, 16, 32, 32), benchmark.FAMEMasks()
    for ours, expected in zip(fame.compute(clips), plain.plain_fame(fame, clips)):
        assert ours.shape == expected.shape
        # cells of near-grey pixels may flip with the last bit
        assert (ours == expected).float().mean() > .995
