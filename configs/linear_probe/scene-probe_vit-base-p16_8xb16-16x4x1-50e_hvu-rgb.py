_base_ = ['./action-probe_vit-base-p16_8xb16-16x4x1-50e_hvu-rgb.py']

load_from = 'work_dirs/naive-action_vit-base-p16_8xb12-16x4x1-50e_hvu-rgb/epoch_50.pth'

model = dict(
    encoder=dict(task='action'),
    inputs=('action', ),
    task='scene',
    num_scene_classes=_base_.num_scene_classes)
