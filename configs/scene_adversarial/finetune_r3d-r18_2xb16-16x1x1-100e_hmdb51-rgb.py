# Transfer (sections 3.1, 4.4) of a 3D-ResNet-18 after scene-adversarial pre-training.
_base_ = [
    '../_base_/models/r3d-r18.py', '../_base_/datasets/hmdb51_16x1.py',
    '../_base_/schedules/scene_adversarial_100e.py', '../_base_/default_runtime.py'
]

# the checkpoint decides which pre-training is judged: --cfg-options load_from=FILE, or a suite
load_from = ('work_dirs/scene-adversarial_r3d-r18_2xb16-16x1x1-100e_mini-kinetics200-rgb/'
             'epoch_100.pth')

find_unused_parameters = True  # the stages that are frozen

model = dict(
    type='NaiveRecognizer',
    # only the last stage learns, as in Hara et al. (CVPR 2018), "the same hyperparameter
    # settings" of Choi et al. 2019
    backbone=dict(_base_.backbone, backbone=dict(_base_.backbone.backbone, frozen_stages=3)),
    num_classes=_base_.num_classes,
    init_scale=None,  # PyTorch's own initial weights: the paper names none
    data_preprocessor=_base_.clip_preprocessor)
