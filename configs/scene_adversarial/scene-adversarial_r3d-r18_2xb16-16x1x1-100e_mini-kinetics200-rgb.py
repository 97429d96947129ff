_base_ = [
    '../_base_/models/r3d-r18.py', '../_base_/datasets/mini_kinetics200_16x1.py',
    '../_base_/schedules/scene_adversarial_100e.py', '../_base_/default_runtime.py',
    '../_base_/models/places365_teacher.py'
]

find_unused_parameters = True  # the scene classifier has no part in every other iteration
default_hooks = dict(checkpoint=dict(save_best='action_nll', rule='less'))

model = dict(
    type='SceneAdversarial',
    backbone=_base_.backbone,
    num_classes=_base_.num_classes,
    init_scale=None,  # PyTorch's own initial weights: the paper names none
    num_scene_classes=_base_.num_scene_classes,
    scene_teacher=_base_.scene_teacher,
    data_preprocessor=_base_.clip_preprocessor)
