_base_ = [
    './action-probe_vit-base-p16_8xb24-16x4x1-50e_ucf101-rgb.py',
    '../_base_/models/places365_teacher.py'
]

load_from = 'work_dirs/naive-action_vit-base-p16_8xb12-16x4x1-100e_ucf101-rgb/epoch_100.pth'

model = dict(
    encoder=dict(task='action'),
    inputs=('action', ),
    task='scene',
    num_scene_classes=_base_.num_scene_classes,
    scene_teacher=_base_.scene_teacher)
