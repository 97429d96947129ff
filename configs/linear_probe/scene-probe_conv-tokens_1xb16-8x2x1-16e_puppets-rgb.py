_base_ = ['./action-probe_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py']

load_from = 'work_dirs/naive-action_conv-tokens_1xb16-8x2x1-16e_puppets-rgb/epoch_16.pth'

model = dict(
    encoder=dict(task='action'),
    inputs=('action', ),
    task='scene',
    num_scene_classes=_base_.num_scene_classes)
