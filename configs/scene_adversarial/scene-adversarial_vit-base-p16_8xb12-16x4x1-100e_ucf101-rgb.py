# Choi et al. 2019 under the protocol of DEVIAS (supp. B): encoder, clips and schedule of
# Naive Action.
_base_ = [
    '../_base_/models/vit-base-p16_ucf101.py', '../_base_/datasets/ucf101_human_boxes.py',
    '../_base_/schedules/vit_adamw_100e.py', '../_base_/default_runtime.py',
    '../_base_/models/places365_teacher.py'
]

find_unused_parameters = True  # the scene classifier has no part in every other iteration

model = dict(
    type='SceneAdversarial',
    backbone=dict(**_base_.backbone, final_norm=False, drop_path_rate=0.2),
    pool_norm=True,
    dropout=0.5,
    num_classes=_base_.num_classes,
    init_scale=None,  # PyTorch's own initial weights: the paper names none
    num_scene_classes=_base_.num_scene_classes,
    scene_teacher=_base_.scene_teacher,
    data_preprocessor=_base_.clip_preprocessor)
