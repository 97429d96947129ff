_base_ = ['./two-token_vit-base-p16_8xb12-16x4x1-50e_hvu-rgb.py']

# DEVIAS Fig. 4 (d)
model = dict(unified_head=True, backbone=dict(num_extra_tokens=1))
