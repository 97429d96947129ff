_base_ = ['../naive/naive-action_vit-base-p16_8xb12-16x4x1-50e_hvu-rgb.py']

# extent='space' would be CutMix
model = dict(data_preprocessor=dict(augments=[
    dict(type='VideoMix', alpha=1.0, extent='space-time', num_classes=_base_.num_classes)]))
