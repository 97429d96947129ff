_base_ = ['../naive/naive-action_vit-base-p16_8xb12-16x4x1-50e_hvu-rgb.py']

model = dict(data_preprocessor=dict(augments=[
    dict(type='Mixup', alpha=0.8, num_classes=_base_.num_classes)]))
