# 3D-ResNet-18 from a checkpoint of scene-adversarial pre-training; only its last stage learns, as
# in Hara et al. (CVPR 2018), "the same hyperparameter settings" of Choi et al. 2019.
_base_ = ['./r3d-r18.py']

backbone = dict(
    backbone=dict(frozen_stages=3),
    init_cfg=dict(
        type='Pretrained',
        checkpoint='checkpoints/scene-adversarial_r3d-r18_mini-kinetics200.pth',
        prefix='backbone.'))
