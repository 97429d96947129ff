_base_ = [
    './naive-action_i3d-r50_8xb12-16x4x1-100e_ucf101-rgb.py',
    '../_base_/models/places365_teacher.py'
]

# DEVIAS Table 14 (c)
model = dict(
    task='scene',
    dropout=0.,
    num_scene_classes=_base_.num_scene_classes,
    scene_teacher=_base_.scene_teacher)
