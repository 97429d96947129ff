_base_ = [
    '../_base_/models/vit-base-p16_kinetics400.py', '../_base_/datasets/kinetics400.py',
    '../_base_/schedules/vit_adamw_100e.py', '../_base_/default_runtime.py'
]

# DEVIAS Table 16
optim_wrapper = dict(optimizer=dict(lr=1e-3 * 96 / 256))

model = dict(
    type='NaiveRecognizer',
    backbone=dict(**_base_.backbone, final_norm=False, drop_path_rate=0.1),
    pool_norm=True,
    num_classes=_base_.num_classes,
    data_preprocessor=_base_.clip_preprocessor)
