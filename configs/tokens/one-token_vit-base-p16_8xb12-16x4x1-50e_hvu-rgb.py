_base_ = ['./two-token_vit-base-p16_8xb12-16x4x1-50e_hvu-rgb.py']

model = dict(backbone=dict(num_extra_tokens=1))
