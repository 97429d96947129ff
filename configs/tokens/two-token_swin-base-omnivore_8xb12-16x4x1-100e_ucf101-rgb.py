_base_ = [
    '../_base_/models/swin-base-omnivore.py', '../_base_/datasets/ucf101.py',
    '../_base_/schedules/adamw_100e.py', '../_base_/default_runtime.py',
    '../_base_/models/places365_teacher.py'
]

# DEVIAS Table 14 (d): "Multi-Task", two classifiers on the pooled feature
model = dict(
    type='TokenRecognizer',
    backbone=dict(**_base_.backbone, num_extra_tokens=2),
    dropout=0.5,
    num_classes=_base_.num_classes,
    num_scene_classes=_base_.num_scene_classes,
    scene_teacher=_base_.scene_teacher,
    data_preprocessor=_base_.clip_preprocessor)
