# 3D-ResNet-34 (DSM, which also trains it at 224 x 224; Hara et al., CVPR 2018):
# 16 frames of 112 x 112, 16 tokens of width 512; from scratch.
_base_ = ['./r3d-r18.py']

backbone = dict(backbone=dict(depth=34))
