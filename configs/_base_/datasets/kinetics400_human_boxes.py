# Kinetics-400 with the boxes of its humans, for the training batches' masks (docs/human_boxes.md).
_base_ = ['./kinetics400.py']

_base_.human_box_steps[1].data_root = _base_.data_root
train_dataloader = dict(dataset=dict(pipeline=_base_.human_box_steps))
