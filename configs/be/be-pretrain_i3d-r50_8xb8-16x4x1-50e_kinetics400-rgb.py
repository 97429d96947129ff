_base_ = [
    '../_base_/models/i3d-r50.py', '../_base_/datasets/kinetics400.py',
    '../_base_/augments/be_views.py', '../_base_/schedules/be_pretrain.py',
    '../_base_/default_runtime.py'
]

train_cfg = dict(max_epochs=50)
_base_.param_scheduler[0].end = 50  # before the first step of the rate, as published
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=_base_.be_pipeline))
val_cfg = val_dataloader = val_evaluator = None

model = dict(
    type='BEContrastive',
    backbone=dict(_base_.backbone, init_cfg=None),
    data_preprocessor=dict(
        type='ContrastiveDataPreprocessor',
        mean=_base_.clip_preprocessor.mean,
        std=_base_.clip_preprocessor.std,
        views=_base_.be_views))
