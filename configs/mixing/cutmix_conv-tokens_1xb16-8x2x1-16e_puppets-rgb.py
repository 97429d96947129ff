_base_ = ['../naive/naive-action_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py']

model = dict(data_preprocessor=dict(augments=[
    dict(type='CutMix', alpha=1.0, num_classes=_base_.num_classes)]))
