_base_ = [
    '../naive/naive-action_vit-base-p16_8xb12-16x4x1-50e_hvu-rgb.py',
    '../_base_/augments/still_mix.py'
]

model = dict(data_preprocessor=dict(augments=_base_.still_mix))
