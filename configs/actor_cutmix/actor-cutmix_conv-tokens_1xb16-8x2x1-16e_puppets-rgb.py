_base_ = [
    '../naive/naive-action_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py', '../_base_/augments/fame_puppets.py',
    '../_base_/augments/actor_cutmix.py'
]

# the masks of FAME stand for those of a human detector
model = dict(data_preprocessor=dict(augments=[
    _base_.fame[0], dict(**_base_.actor_cutmix, num_classes=_base_.num_classes)]))
