_base_ = [
    '../_base_/models/vit-base-p16_ucf101.py', '../_base_/datasets/ucf101.py',
    '../_base_/schedules/vit_adamw_100e.py', '../_base_/default_runtime.py'
]

model = dict(
    type='NaiveRecognizer',
    # VideoMAE's fine-tuning normalises the mean token, not the tokens
    backbone=dict(**_base_.backbone, final_norm=False, drop_path_rate=0.2),
    pool_norm=True,
    dropout=0.5,
    num_classes=_base_.num_classes,
    data_preprocessor=_base_.clip_preprocessor)
