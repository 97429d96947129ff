_base_ = ['../naive/naive-action_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py']

# extent='space' would be CutMix
model = dict(data_preprocessor=dict(augments=[
    dict(type='VideoMix', alpha=1.0, extent='space-time', num_classes=_base_.num_classes)]))
