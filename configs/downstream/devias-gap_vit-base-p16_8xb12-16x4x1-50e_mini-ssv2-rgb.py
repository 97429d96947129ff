_base_ = ['./devias_vit-base-p16_8xb12-16x4x1-50e_mini-ssv2-rgb.py']

model = dict(fusion='gap')
