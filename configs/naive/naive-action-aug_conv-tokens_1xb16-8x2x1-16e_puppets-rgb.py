_base_ = ['./naive-action_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py', '../_base_/augments/mixing.py']

model = dict(data_preprocessor=dict(augments=[
    dict(type='RandomErasing', prob=0.25), dict(**_base_.mixing, num_classes=_base_.num_classes)]))
