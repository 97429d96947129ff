_base_ = ['./two-token_vit-base-p16_8xb12-16x4x1-100e_ucf101-rgb.py']

# DEVIAS Fig. 4 (b)
model = dict(unified_head=True)
