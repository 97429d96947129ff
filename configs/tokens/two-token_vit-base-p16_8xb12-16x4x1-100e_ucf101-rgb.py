_base_ = [
    '../_base_/models/vit-base-p16_ucf101.py', '../_base_/datasets/ucf101.py',
    '../_base_/schedules/vit_adamw_100e.py', '../_base_/default_runtime.py',
    '../_base_/models/places365_teacher.py'
]

model = dict(
    type='TokenRecognizer',
    backbone=dict(**_base_.backbone, num_extra_tokens=2, drop_path_rate=0.2),
    dropout=0.5,
    num_classes=_base_.num_classes,
    num_scene_classes=_base_.num_scene_classes,
    scene_teacher=_base_.scene_teacher,
    data_preprocessor=_base_.clip_preprocessor)
