_base_ = ['../devias_vit-base-p16_8xb12-16x4x1-100e_ucf101-rgb.py']

# DEVIAS Table 6 (h): softmax over the tokens instead of the slots
model = dict(slot_attention=dict(softmax_axis='tokens'))
