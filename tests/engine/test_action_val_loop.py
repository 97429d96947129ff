"""Validation while training: what a video that cannot be read counts for."""
from types import SimpleNamespace

import torch
from mmaction.structures import ActionDataSample

from devias_mm.engine.loops import ActionValLoop


def sample(label: int, **meta) -> ActionDataSample:
    return ActionDataSample(metainfo=meta).set_gt_label(label)


def test_an_unreadable_video_is_wrong_whatever_its_class():
    """Were its scores all alike, a video of the first class would count as right."""
    seen = []
    loop = ActionValLoop.__new__(ActionValLoop)
    loop.fp16 = False
    loop._dataloader = SimpleNamespace(dataset=SimpleNamespace(num_classes=3))
    loop.dataloader = loop._dataloader
    model = SimpleNamespace(val_step=lambda batch: [
        data.set_pred_score(torch.tensor([0., 0., float(value)]))
        for data, value in zip(batch['data_samples'], batch['inputs'])])
    loop._runner = SimpleNamespace(model=model, call_hook=lambda *args, **kwargs: None)
    loop.evaluator = SimpleNamespace(process=lambda data_samples, data_batch: seen.extend(
        data_samples))
    samples = [sample(0, error='broken'), sample(2), sample(1, error='broken'), sample(0)]
    loop.run_iter(0, dict(inputs=[5, 6, 7, 8], data_samples=samples))
    # the readable ones keep their own inputs and come first
    assert [data.pred_score.tolist() for data in seen] == [
        [0, 0, 6], [0, 0, 8], [-1, 0, 0], [0, -1, 0]]
    assert [int(data.gt_label) for data in seen] == [2, 0, 0, 1]
