# 3D-ResNet-18 from a checkpoint of scene-adversarial pre-training; only its last stage learns, as
# in Hara et al. (CVPR 2018), "the same hyperparameter settings" of Choi et al. 2019.
_base_ = ['./r3d-r18.py']

backbone = dict(backbone=dict(frozen_stages=3))
# another pre-training: --cfg-options load_from=FILE; a suite sets it
load_from = ('work_dirs/scene-adversarial_r3d-r18_2xb16-16x1x1-100e_mini-kinetics200-rgb/'
             'epoch_100.pth')
