_base_ = [
    './two-token_swin-base-omnivore_8xb12-16x4x1-100e_ucf101-rgb.py',
    '../_base_/augments/fame.py'
]

model = dict(data_preprocessor=dict(augments=_base_.fame))
