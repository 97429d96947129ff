# DSM, Table 1, "Random init"; 10 clips a test video.
_base_ = [
    '../_base_/models/r3d-r34.py', '../_base_/datasets/ucf101.py',
    '../_base_/schedules/dsm_finetune_45e.py', '../_base_/default_runtime.py'
]

train_dataloader = dict(batch_size=8)
test_dataloader = dict(dataset=dict(pipeline=[
    _base_.ten_clips_reader, *_base_.val_pipeline[1:]]))

model = dict(
    type='NaiveRecognizer',
    backbone=dict(_base_.backbone, input_size=(16, 224, 224)),
    num_classes=_base_.num_classes,
    init_scale=None,  # PyTorch's own initial weights: the paper names none
    data_preprocessor=_base_.clip_preprocessor)
