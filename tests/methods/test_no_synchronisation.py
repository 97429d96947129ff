"""Nothing in a training step makes the host wait for the device."""
import pytest
import torch
from tiny_models import batch, build, teacher
from torch.utils._python_dispatch import TorchDispatchMode

WAITING = ('aten._local_scalar_dense', 'aten.nonzero', 'aten.masked_select', 'aten.unique',
           'aten.bincount')
INDEXING = ('aten.index.Tensor', 'aten.index_put')  # by a mask: the kernel counts its ones
FAME = [dict(type='FAMEMasks'), dict(type='SceneMix', ratio=0.5)]


class Waiting(TorchDispatchMode):
    """Note the operations that need a value of a tensor on the host."""

    def __init__(self) -> None:
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = str(function)
        if name.startswith(WAITING) or name.startswith(INDEXING) and any(
                index is not None and index.dtype == torch.bool for index in args[1]):
            self.found.append(name)
        return function(*args, **(kwargs or {}))


METHODS = dict(
    naive_action=dict(type='NaiveRecognizer'),
    naive_scene=dict(type='NaiveRecognizer', task='scene'),
    one_token=dict(type='TokenRecognizer', num_extra_tokens=1, unified_head=True),
    two_token=dict(type='TokenRecognizer', num_extra_tokens=2),
    albar=dict(type='ALBAR'),
    scene_adversarial=dict(type='SceneAdversarial', augments=FAME[:1], optimization='joint'),
    devias=dict(type='DEVIAS', augments=FAME),
    devias_teacher=dict(type='DEVIAS', augments=FAME, scene_teacher=teacher()),
    devias_print=dict(
        type='DEVIAS', augments=FAME, assignment_cost='cross_entropy', losses=dict(
            scene=dict(type='SceneCrossEntropy'),
            mask=dict(type='MaskDecoding', target='frames', sigmoid_twice=False),
            guidance=dict(type='AttentionGuidance', reduction='sum'),
            cosine=dict(type='PrintedSlotCosine'))),
    devias_greedy=dict(type='DEVIAS', augments=FAME, assignment='greedy'),
    be=dict(type='NaiveRecognizer', augments=[dict(type='BackgroundErasing')]))


@pytest.mark.parametrize('name', METHODS)
def test_a_step_does_not_wait(name):
    model, data = build(**METHODS[name]).train(), batch()
    with Waiting() as mode:
        data = model.data_preprocessor(data, training=True)
        losses = model.loss(**data)
        sum(value for key, value in losses.items() if 'loss' in key).backward()
    assert mode.found == []


def test_the_test_sees_what_waits():
    with Waiting() as mode:
        torch.ones(2).sum().item()
        torch.ones(3)[torch.ones(3) > 0]
        torch.ones(3).nonzero()
    found = [name.split('.')[1] for name in mode.found]
    assert found == ['_local_scalar_dense', 'index', 'nonzero']
