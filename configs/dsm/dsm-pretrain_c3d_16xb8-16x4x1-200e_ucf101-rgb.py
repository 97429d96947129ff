# DSM, Tables 1 to 3, C3D
_base_ = [
    '../_base_/models/c3d.py', '../_base_/datasets/ucf101.py',
    '../_base_/augments/contrastive_views.py', '../_base_/methods/dsm.py',
    '../_base_/schedules/dsm_pretrain_200e.py', '../_base_/default_runtime.py'
]

# 112 px, and shifts as on UCF-101
for pipeline in (_base_.dsm_pipeline, _base_.moco_pipeline):
    for view in pipeline[1].views:
        view[1].scale = (112, 112)
_base_.dsm_pipeline[0].sampler.shift_range = (2, 20)
_base_.unit_pipeline[1].scale = (-1, 128)
_base_.unit_pipeline[2].crop_size = 112
del pipeline, view

train_dataloader = dict(batch_size=8, dataset=dict(pipeline=_base_.dsm_pipeline))
val_cfg = val_dataloader = val_evaluator = None
test_dataloader = dict(dataset=dict(pipeline=_base_.unit_pipeline))

model = dict(
    backbone=_base_.backbone,
    data_preprocessor=dict(
        mean=_base_.clip_preprocessor.mean, std=_base_.clip_preprocessor.std))
