_base_ = ['./devias_vit-base-p16_8xb12-16x4x1-50e_mini-ssv2-rgb.py']

load_from = 'work_dirs/naive-action_vit-base-p16_8xb12-16x4x1-100e_kinetics400-rgb/epoch_100.pth'

model = dict(
    encoder=dict(_delete_=True, **_base_.naive_action_encoder), inputs=('action', ))
