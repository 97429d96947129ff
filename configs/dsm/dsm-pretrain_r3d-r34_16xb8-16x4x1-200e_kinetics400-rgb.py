# DSM, Table 1, 3D-ResNet-34
_base_ = [
    '../_base_/models/r3d-r34.py', '../_base_/datasets/kinetics400.py',
    '../_base_/augments/contrastive_views.py', '../_base_/methods/dsm.py',
    '../_base_/schedules/dsm_pretrain_200e.py', '../_base_/default_runtime.py'
]

train_dataloader = dict(batch_size=8, dataset=dict(pipeline=_base_.dsm_pipeline))
val_cfg = val_dataloader = val_evaluator = None
test_dataloader = dict(dataset=dict(pipeline=_base_.unit_pipeline))

model = dict(
    backbone=dict(_base_.backbone, input_size=(16, 224, 224)),
    data_preprocessor=dict(
        mean=_base_.clip_preprocessor.mean, std=_base_.clip_preprocessor.std))
