_base_ = ['./two-token_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py']

model = dict(backbone=dict(num_extra_tokens=1))
