_base_ = [
    '../_base_/models/conv-tokens.py', '../_base_/datasets/puppets.py',
    '../_base_/schedules/puppets.py', '../_base_/default_runtime.py',
    '../_base_/augments/fame_puppets.py'
]

# all as the paper has it, nothing fitted to training from scratch
model = dict(
    type='DEVIAS',
    backbone=_base_.backbone,
    slot_attention=dict(num_slots=2, num_iters=4),
    num_classes=_base_.num_classes,
    init_scale=1.,  # from scratch: no trained encoder to protect from the first gradients
    num_scene_classes=_base_.num_scene_classes,
    data_preprocessor=dict(**_base_.clip_preprocessor, augments=_base_.fame))
