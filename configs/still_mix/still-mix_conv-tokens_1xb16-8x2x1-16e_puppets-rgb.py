_base_ = ['../naive/naive-action_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py', '../_base_/augments/still_mix.py']

model = dict(data_preprocessor=dict(augments=_base_.still_mix))
