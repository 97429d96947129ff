_base_ = [
    './two-token_vit-base-p16_8xb12-16x4x1-100e_kinetics400-rgb.py',
    '../_base_/augments/fame.py'
]

model = dict(data_preprocessor=dict(augments=_base_.fame))
