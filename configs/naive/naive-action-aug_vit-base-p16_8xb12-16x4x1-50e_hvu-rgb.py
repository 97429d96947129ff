_base_ = [
    './naive-action_vit-base-p16_8xb12-16x4x1-50e_hvu-rgb.py',
    '../_base_/augments/mixing.py'
]

model = dict(data_preprocessor=dict(augments=[
    dict(type='RandomErasing', prob=0.25), dict(**_base_.mixing, num_classes=_base_.num_classes)]))
