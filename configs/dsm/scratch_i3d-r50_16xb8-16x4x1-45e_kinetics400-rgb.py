# DSM, Table 1 and Fig. 4, "Random init"; 10 clips a test video.
_base_ = [
    '../_base_/models/i3d-r50.py', '../_base_/datasets/kinetics400.py',
    '../_base_/schedules/dsm_finetune_45e.py', '../_base_/default_runtime.py'
]

test_pipeline = [
    dict(
        type='ReadClip',
        sampler=dict(
            type='SampleFrames', clip_len=16, frame_interval=4, num_clips=10, test_mode=True)),
    *_base_.val_pipeline[1:],
]
train_dataloader = dict(batch_size=8)
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))

model = dict(
    type='NaiveRecognizer',
    backbone=dict(_base_.backbone, init_cfg=None),
    num_classes=_base_.num_classes,
    data_preprocessor=_base_.clip_preprocessor)
