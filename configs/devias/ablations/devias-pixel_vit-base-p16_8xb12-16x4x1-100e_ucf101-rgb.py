_base_ = ['../devias_vit-base-p16_8xb12-16x4x1-100e_ucf101-rgb.py']

# DEVIAS Table 6 (c): the decoder reconstructs the foreground's pixels
model = dict(decoder_target='pixel')
