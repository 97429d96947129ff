_base_ = [
    '../_base_/models/vit-base-p16_kinetics400.py', '../_base_/datasets/hvu.py',
    '../_base_/schedules/vit_adamw_50e.py', '../_base_/default_runtime.py'
]

# DEVIAS Table 16; HVU has scene labels of its own
model = dict(
    type='TokenRecognizer',
    backbone=dict(**_base_.backbone, num_extra_tokens=2, drop_path_rate=0.1),
    num_classes=_base_.num_classes,
    num_scene_classes=_base_.num_scene_classes,
    data_preprocessor=_base_.clip_preprocessor)
