_base_ = [
    '../_base_/models/vit-base-p16_kinetics400.py', '../_base_/datasets/kinetics400.py',
    '../_base_/schedules/vit_adamw_100e.py', '../_base_/default_runtime.py',
    '../_base_/models/places365_teacher.py'
]

# DEVIAS Table 22. The options of the model are the published ones, its defaults.
optim_wrapper = dict(paramwise_cfg=dict(lr_mult={'slot_attention': 0.1}))

model = dict(
    type='DEVIAS',
    backbone=dict(**_base_.backbone, drop_path_rate=0.1),
    slot_attention=dict(num_slots=2, num_iters=8),
    num_classes=_base_.num_classes,
    num_scene_classes=_base_.num_scene_classes,
    scene_teacher=_base_.scene_teacher,
    data_preprocessor=dict(
        **_base_.clip_preprocessor,
        augments=[
            # the published FAME blurs 224-pixel clips as if they had 112
            dict(type='FAMEMasks', tau=0.5, blur_size=11),
            dict(type='SceneMix', ratio=0.8)]))
