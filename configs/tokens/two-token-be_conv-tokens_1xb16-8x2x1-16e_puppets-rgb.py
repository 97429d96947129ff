_base_ = ['./two-token_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py', '../_base_/augments/be.py']

model = dict(data_preprocessor=dict(augments=_base_.be))
