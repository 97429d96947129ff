_base_ = [
    '../_base_/models/conv-tokens.py', '../_base_/datasets/puppets_masks.py',
    '../_base_/schedules/puppets.py', '../_base_/default_runtime.py',
    '../_base_/augments/actor_cutmix.py'
]

# the true masks stand for those of a human detector
model = dict(
    type='NaiveRecognizer',
    backbone=_base_.backbone,
    num_classes=_base_.num_classes,
    init_scale=1.,  # from scratch: no trained encoder to protect from the first gradients
    data_preprocessor=dict(**_base_.clip_preprocessor, augments=[
        dict(**_base_.actor_cutmix, num_classes=_base_.num_classes)]))
