# Choi et al. 2019 under the protocol of DEVIAS (supp. B): encoder, clips and schedule of
# Naive Action; HVU has scene labels of its own.
_base_ = [
    '../_base_/models/vit-base-p16_kinetics400.py', '../_base_/datasets/hvu_human_boxes.py',
    '../_base_/schedules/vit_adamw_50e.py', '../_base_/default_runtime.py'
]

find_unused_parameters = True  # the scene classifier has no part in every other iteration

model = dict(
    type='SceneAdversarial',
    backbone=dict(**_base_.backbone, final_norm=False, drop_path_rate=0.1),
    pool_norm=True,
    num_classes=_base_.num_classes,
    init_scale=None,  # PyTorch's own initial weights: the paper names none
    num_scene_classes=_base_.num_scene_classes,
    data_preprocessor=_base_.clip_preprocessor)
