_base_ = [
    '../_base_/models/conv-tokens.py', '../_base_/datasets/puppets.py',
    '../_base_/schedules/puppets.py', '../_base_/default_runtime.py'
]

model = dict(
    type='TokenRecognizer',
    backbone=dict(**_base_.backbone, num_extra_tokens=2),
    num_classes=_base_.num_classes,
    init_scale=None,  # from scratch: there is no trained encoder to protect
    num_scene_classes=_base_.num_scene_classes,
    data_preprocessor=_base_.clip_preprocessor)
