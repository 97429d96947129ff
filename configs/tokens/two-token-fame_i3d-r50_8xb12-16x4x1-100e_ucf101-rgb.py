_base_ = [
    './two-token_i3d-r50_8xb12-16x4x1-100e_ucf101-rgb.py',
    '../_base_/augments/fame.py'
]

model = dict(data_preprocessor=dict(augments=_base_.fame))
