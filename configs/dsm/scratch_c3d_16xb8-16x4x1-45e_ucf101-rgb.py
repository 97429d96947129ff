# DSM, Table 1, "Random init"; 10 clips a test video.
_base_ = [
    '../_base_/models/c3d.py', '../_base_/datasets/ucf101.py',
    '../_base_/schedules/dsm_finetune_45e.py', '../_base_/default_runtime.py'
]

# 112 px
_base_.train_pipeline[2].scale = (112, 112)
_base_.val_pipeline[1].scale = (-1, 128)
_base_.val_pipeline[2].crop_size = 112

train_dataloader = dict(batch_size=8, dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=[
    _base_.ten_clips_reader, *_base_.val_pipeline[1:]]))

model = dict(
    type='NaiveRecognizer',
    backbone=_base_.backbone,
    num_classes=_base_.num_classes,
    init_scale=None,  # PyTorch's own initial weights: the paper names none
    data_preprocessor=_base_.clip_preprocessor)
