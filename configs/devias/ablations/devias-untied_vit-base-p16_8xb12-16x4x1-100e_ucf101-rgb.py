_base_ = ['../devias_vit-base-p16_8xb12-16x4x1-100e_ucf101-rgb.py']

# DEVIAS Table 6 (d): each iteration has weights of its own
model = dict(slot_attention=dict(tied=False))
