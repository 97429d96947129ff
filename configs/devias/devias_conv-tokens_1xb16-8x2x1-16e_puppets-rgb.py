_base_ = [
    '../_base_/models/conv-tokens.py', '../_base_/datasets/puppets.py',
    '../_base_/schedules/puppets.py', '../_base_/default_runtime.py',
    '../_base_/augments/fame_puppets.py'
]

model = dict(
    type='DEVIAS',
    backbone=_base_.backbone,
    slot_attention=dict(num_slots=2, num_iters=4, attn_norm='l1', mlp_norm=True, mlp_ratio=2.),
    num_classes=_base_.num_classes,
    init_scale=1.,  # from scratch: no trained encoder to protect from the first gradients
    num_scene_classes=_base_.num_scene_classes,
    mask_hidden_dims=(192, ),
    scene_weight=0.5,
    guidance_weight=5.,
    guidance_reduction='mean',
    cosine='signed',
    # from scratch, matching every clip by itself does not specialise the slots
    assignment='batch',
    data_preprocessor=dict(**_base_.clip_preprocessor, augments=_base_.fame))
