# DSM, Tables 1 and 4 and Fig. 4, I3D
_base_ = [
    '../_base_/models/i3d-r50.py', '../_base_/datasets/kinetics400.py',
    '../_base_/augments/contrastive_views.py', '../_base_/methods/dsm.py',
    '../_base_/schedules/dsm_pretrain_200e.py', '../_base_/default_runtime.py'
]

train_dataloader = dict(batch_size=8, dataset=dict(pipeline=_base_.dsm_pipeline))
val_cfg = val_dataloader = val_evaluator = None
test_dataloader = dict(dataset=dict(pipeline=_base_.unit_pipeline))

model = dict(
    backbone=dict(_base_.backbone, init_cfg=None),
    data_preprocessor=dict(
        mean=_base_.clip_preprocessor.mean, std=_base_.clip_preprocessor.std))
