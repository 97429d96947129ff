_base_ = [
    '../_base_/models/conv-tokens.py', '../_base_/datasets/puppets.py',
    '../_base_/schedules/puppets.py', '../_base_/default_runtime.py'
]

model = dict(
    type='NaiveRecognizer',
    backbone=_base_.backbone,
    num_classes=_base_.num_classes,
    init_scale=None,  # from scratch: there is no trained encoder to protect
    data_preprocessor=_base_.clip_preprocessor)
