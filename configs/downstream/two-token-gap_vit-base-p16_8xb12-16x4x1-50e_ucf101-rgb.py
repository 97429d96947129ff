_base_ = ['./devias_vit-base-p16_8xb12-16x4x1-50e_ucf101-rgb.py']

load_from = 'work_dirs/two-token_vit-base-p16_8xb12-16x4x1-100e_kinetics400-rgb/epoch_100.pth'

model = dict(encoder=dict(_delete_=True, **_base_.two_token_encoder), fusion='gap')
