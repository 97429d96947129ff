_base_ = ['../devias_vit-base-p16_8xb12-16x4x1-100e_ucf101-rgb.py']

# DEVIAS Table 6 (g): slot 0 is the action's, slot 1 the scene's
model = dict(assignment='hard')
