_base_ = [
    '../../_base_/models/i3d-r50.py', '../../_base_/datasets/ucf101.py',
    '../../_base_/schedules/adamw_100e.py', '../../_base_/default_runtime.py',
    '../../_base_/models/places365_teacher.py'
]

# DEVIAS Table 14 (c), Table 22
optim_wrapper = dict(
    paramwise_cfg=dict(custom_keys={'slot_attention': dict(lr_mult=0.1)}))

model = dict(
    type='DEVIAS',
    backbone=_base_.backbone,
    slot_attention=dict(num_slots=2, num_iters=4),
    dropout=0.5,
    num_classes=_base_.num_classes,
    num_scene_classes=_base_.num_scene_classes,
    scene_teacher=_base_.scene_teacher,
    data_preprocessor=dict(
        **_base_.clip_preprocessor,
        augments=[dict(type='FAMEMasks', tau=0.3), dict(type='SceneMix', ratio=0.4)]))
