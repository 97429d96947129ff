_base_ = ['../devias_vit-base-p16_8xb12-16x4x1-100e_ucf101-rgb.py']

# DEVIAS Table 6 (a), Table 14 (b): two encoder tokens instead of the slots
optim_wrapper = dict(paramwise_cfg=dict(lr_mult=dict(_delete_=True)))  # of slot_attention
model = dict(
    disentangling='tokens', slot_attention=None, backbone=dict(num_extra_tokens=2))
