_base_ = ['../devias_vit-base-p16_8xb12-16x4x1-100e_ucf101-rgb.py']

# DEVIAS Table 6 (d)
model = dict(slot_attention=dict(num_iters=2))
