# Encoder, clips and schedule of Naive Action.
_base_ = [
    '../_base_/models/vit-base-p16_ucf101.py', '../_base_/datasets/ucf101_human_boxes.py',
    '../_base_/schedules/vit_adamw_100e.py', '../_base_/default_runtime.py',
    '../_base_/augments/actor_cutmix.py'
]

model = dict(
    type='NaiveRecognizer',
    backbone=dict(**_base_.backbone, final_norm=False, drop_path_rate=0.2),
    pool_norm=True,
    dropout=0.5,
    num_classes=_base_.num_classes,
    data_preprocessor=dict(**_base_.clip_preprocessor, augments=[
        dict(**_base_.actor_cutmix, num_classes=_base_.num_classes)]))
