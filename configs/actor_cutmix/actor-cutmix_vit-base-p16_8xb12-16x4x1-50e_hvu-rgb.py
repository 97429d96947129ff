_base_ = [
    '../naive/naive-action_vit-base-p16_8xb12-16x4x1-50e_hvu-rgb.py',
    '../_base_/augments/fame.py',
    '../_base_/augments/actor_cutmix.py'
]

# the masks of FAME stand for those of a human detector
model = dict(data_preprocessor=dict(augments=[
    _base_.fame[0], dict(**_base_.actor_cutmix, num_classes=_base_.num_classes)]))
