_base_ = [
    '../_base_/models/conv-tokens.py', '../_base_/datasets/puppets.py',
    '../_base_/methods/dsm.py', '../_base_/schedules/pretrain_puppets_10e.py',
    '../_base_/default_runtime.py'
]

# 8 frames of the 16, 48 px. The crop of the supervised methods there; shifts of a quarter to
# three quarters of the video, which is looped.
crop = [
    dict(type='RandomResizedCrop', area_range=(0.6, 1.0), aspect_ratio_range=(0.9, 1.1)),
    dict(type='Resize', scale=(48, 48), keep_ratio=False),
]
basic = crop + [
    dict(type='Flip', flip_ratio=0.5),
    dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.0),
]
dsm_pipeline = [
    dict(
        type='ReadClip',
        backend='opencv',
        sampler=dict(
            type='TemporalShiftFrames', clip_len=8, frame_interval=2, shift_range=(4, 12))),
    dict(type='ContrastiveViews', views=[basic, crop, crop], clips=(0, 0, 1)),
    dict(type='BackwardFlow', view=2),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs', algorithm_keys=('flow', ), meta_keys=('video_id', )),
]
# what MoCo takes instead, a row of benchmarks/puppets_pretraining.py
moco_pipeline = [
    dict(
        type='ReadClip',
        backend='opencv',
        sampler=dict(type='SampleFrames', clip_len=8, frame_interval=2)),
    dict(type='ContrastiveViews', views=[basic, basic], clips=(0, 0)),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs', meta_keys=('video_id', )),
]
del crop, basic
train_dataloader = dict(dataset=dict(pipeline=dsm_pipeline))
val_cfg = val_dataloader = val_evaluator = None

# a bank that this little data fills twice an epoch; tau as MoCo has it, because with 1 the loss
# is flat
model = dict(
    backbone=_base_.backbone,
    queue_size=512,
    temperature=0.07,
    data_preprocessor=dict(
        mean=_base_.clip_preprocessor.mean, std=_base_.clip_preprocessor.std))
