_base_ = [
    './naive-action_vit-base-p16_8xb12-16x4x1-100e_kinetics400-rgb.py', '../_base_/models/places365_teacher.py'
]

# DEVIAS Table 18
model = dict(
    task='scene',
    num_scene_classes=_base_.num_scene_classes,
    scene_teacher=_base_.scene_teacher)
