_base_ = [
    './naive-action_swin-base-omnivore_8xb12-16x4x1-100e_ucf101-rgb.py',
    '../_base_/models/places365_teacher.py'
]

# DEVIAS Table 14 (d)
model = dict(
    task='scene',
    dropout=0.,
    num_scene_classes=_base_.num_scene_classes,
    scene_teacher=_base_.scene_teacher)
