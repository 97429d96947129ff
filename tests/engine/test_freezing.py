"""Which parameters move in which epoch of a training in stages."""
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from devias_mm.engine import TrainNewLayersFirst


def model() -> nn.Module:
    parts = nn.ModuleDict(dict(backbone=nn.Linear(3, 3), scene_head=nn.Linear(3, 2)))
    parts['backbone'].bias.requires_grad_(False)  # frozen by its own config
    return parts


def test_the_new_layers_move_alone_then_all():
    torch.manual_seed(0)
    parts = model()
    optimizer = torch.optim.SGD(parts.parameters(), 0.1, momentum=0.9, weight_decay=0.1)
    hook = TrainNewLayersFirst(prefixes=['scene_head.'], epochs=2)
    moved = []
    for epoch in range(4):
        hook.before_train_epoch(SimpleNamespace(epoch=epoch, model=parts))
        before = {name: value.clone() for name, value in parts.named_parameters()}
        optimizer.zero_grad()
        parts['scene_head'](parts['backbone'](torch.randn(4, 3))).square().sum().backward()
        optimizer.step()
        moved.append({name for name, value in parts.named_parameters()
                      if not torch.equal(value, before[name])})
    new = {'scene_head.weight', 'scene_head.bias'}
    assert moved == [new, new, new | {'backbone.weight'}, new | {'backbone.weight'}]


def test_a_resumed_training_is_past_the_warm_up():
    parts = model()
    TrainNewLayersFirst(['scene_head.'], epochs=2).before_train_epoch(
        SimpleNamespace(epoch=2, model=parts))
    assert parts['backbone'].weight.requires_grad
    assert not parts['backbone'].bias.requires_grad


def test_bad_options():
    with pytest.raises(ValueError, match='epochs must be at least 1, got 0'):
        TrainNewLayersFirst(['scene_head.'], epochs=0)
    hook = TrainNewLayersFirst(['classifier'], epochs=1)
    with pytest.raises(ValueError, match=r"begins with 'classifier'.*\['backbone', 'scene_head'\]"):
        hook.before_train_epoch(SimpleNamespace(epoch=0, model=model()))
