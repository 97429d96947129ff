_base_ = [
    '../_base_/models/i3d-r50.py', '../_base_/datasets/ucf101.py',
    '../_base_/schedules/adamw_100e.py', '../_base_/default_runtime.py'
]

# DEVIAS Table 14 (c)
model = dict(
    type='NaiveRecognizer',
    backbone=_base_.backbone,
    dropout=0.5,
    num_classes=_base_.num_classes,
    data_preprocessor=_base_.clip_preprocessor)
