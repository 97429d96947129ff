# data/places365/{train,val,annotations}: images, and the published lists of `file,label`. Each
# image is a clip of 16 equal frames (DEVIAS supp. B). To these data sets the scenes are simply
# the classes; `task='scene'` is what the trained weights are loaded with later.
data_root = 'data/places365'
num_classes = 365

still = dict(type='SampleFrames', clip_len=16, frame_interval=1)
pack = dict(type='PackActionInputs', meta_keys=('video_id', ))
train_pipeline = [
    dict(
        type='ReadStillClip',
        sampler=still,
        transforms=[
            dict(type='RandomResizedCrop'),
            dict(type='Resize', scale=(224, 224), keep_ratio=False),
            dict(type='Flip', flip_ratio=0.5),
        ]),
    dict(type='FormatShape', input_format='NCTHW'),
    pack,
]
test_pipeline = [
    dict(
        type='ReadStillClip',
        sampler=dict(**still, test_mode=True),
        transforms=[
            dict(type='Resize', scale=(-1, 256)),
            dict(type='CenterCrop', crop_size=224),
        ]),
    dict(type='FormatShape', input_format='NCTHW'),
    pack,
]

dataset = dict(
    type='ActionSceneDataset', data_root=data_root, num_classes=num_classes, delimiter=',')
val_set = dict(ann_file='annotations/val.csv', data_prefix=dict(video='val'))
loader = dict(
    batch_size=32,
    num_workers=8,
    persistent_workers=False,
    worker_init_fn=dict(type='seed_worker'))
train_dataloader = dict(
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        ann_file='annotations/train.csv',
        data_prefix=dict(video='train'),
        pipeline=train_pipeline,
        **dataset),
    **loader)
val_dataloader = dict(
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(pipeline=test_pipeline, test_mode=True, **val_set, **dataset),
    **loader)
test_dataloader = dict(
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(pipeline=test_pipeline, test_mode=True, **val_set, **dataset),
    **loader)
test_splits = dict(val=val_set)

val_cfg = dict(type='ActionValLoop')
val_evaluator = dict(type='ActionSceneMetric')
test_cfg = dict(type='MultiSplitTestLoop', splits=test_splits)
test_evaluator = []  # the loop writes prediction tables instead
del still, pack, dataset, loader
