# What ALBAR's released setting on HMDB-51 trains, without its losses.
_base_ = [
    '../_base_/models/swin-tiny.py', '../_base_/datasets/hmdb51.py',
    '../_base_/schedules/adamw_100e.py', '../_base_/default_runtime.py'
]

for steps in (_base_.train_pipeline, _base_.val_pipeline, _base_.test_pipeline):
    steps[0].sampler.update(clip_len=32, frame_interval=2)
del steps

train_dataloader = dict(batch_size=4, dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))

# AdamW with weight decay 0.05, five epochs of warm-up and a cosine, as the recipe of the others
train_cfg = dict(max_epochs=50)
optim_wrapper = dict(optimizer=dict(lr=1e-5))
param_scheduler = [_base_.param_scheduler[0], dict(_base_.param_scheduler[1], end=50)]
auto_scale_lr = dict(base_batch_size=16)

model = dict(
    type='NaiveRecognizer',
    backbone=_base_.backbone,
    num_classes=_base_.num_classes,
    init_scale=None,  # PyTorch's own initial weights: the paper names none
    data_preprocessor=_base_.clip_preprocessor)
