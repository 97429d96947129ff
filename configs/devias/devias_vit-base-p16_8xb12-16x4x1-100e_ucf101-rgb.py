_base_ = [
    '../_base_/models/vit-base-p16_ucf101.py', '../_base_/datasets/ucf101.py',
    '../_base_/schedules/vit_adamw_100e.py', '../_base_/default_runtime.py',
    '../_base_/models/places365_teacher.py'
]

# a ViT-B fine-tuned for actions on UCF-101 (supp. B): the last checkpoint of `naive-action`
load_from = 'checkpoints/vit-base-p16_ucf101.pth'

# DEVIAS Table 22. The options of the model are the published ones, its defaults.
optim_wrapper = dict(paramwise_cfg=dict(lr_mult={'slot_attention': 0.1}))

model = dict(
    type='DEVIAS',
    backbone=dict(**_base_.backbone, drop_path_rate=0.2),
    slot_attention=dict(num_slots=2, num_iters=4),
    dropout=0.5,
    num_classes=_base_.num_classes,
    num_scene_classes=_base_.num_scene_classes,
    scene_teacher=_base_.scene_teacher,
    data_preprocessor=dict(
        **_base_.clip_preprocessor,
        augments=[
            # the published FAME blurs 224-pixel clips as if they had 112
            dict(type='FAMEMasks', tau=0.3, blur_size=11),
            dict(type='SceneMix', ratio=0.4)]))
