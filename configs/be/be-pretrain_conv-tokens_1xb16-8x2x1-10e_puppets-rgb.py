_base_ = [
    '../_base_/models/conv-tokens.py', '../_base_/datasets/puppets.py',
    '../_base_/augments/be_views.py', '../_base_/schedules/pretrain_puppets_10e.py',
    '../_base_/default_runtime.py'
]

# 8 frames of the 16, 48 px
_base_.be_pipeline[0].update(
    backend='opencv',
    sampler=dict(type='TemporalShiftFrames', clip_len=8, frame_interval=2, shift_range=(4, None)))
for view in _base_.be_pipeline[1].views:
    view[:2] = [
        dict(type='RandomResizedCrop', area_range=(0.6, 1.0), aspect_ratio_range=(0.9, 1.1)),
        dict(type='Resize', scale=(48, 48), keep_ratio=False),
    ]
del view

train_dataloader = dict(batch_size=16, dataset=dict(pipeline=_base_.be_pipeline))
val_cfg = val_dataloader = val_evaluator = None

model = dict(
    type='BEContrastive',
    backbone=_base_.backbone,
    queue_size=512,  # a queue that this little data fills twice an epoch
    data_preprocessor=dict(
        type='ContrastiveDataPreprocessor',
        mean=_base_.clip_preprocessor.mean,
        std=_base_.clip_preprocessor.std,
        views=_base_.be_views))
