# The embedded benchmark; made by `python tools/data/make_puppets.py --out data/puppets`.
data_root = 'data/puppets/demo'
num_classes = 8
num_scene_classes = 8

pack = dict(
    type='PackActionInputs',
    algorithm_keys=('scene_label', 'background_label'),
    meta_keys=('video_id', ))
# 8 frames of the 16; files this short are read faster front to back than by seeking
train_pipeline = [
    dict(
        type='ReadClip',
        backend='opencv',
        sampler=dict(type='SampleFrames', clip_len=8, frame_interval=2)),
    dict(type='RandomResizedCrop', area_range=(0.8, 1.0), aspect_ratio_range=(0.95, 1.05)),
    dict(type='Resize', scale=(48, 48), keep_ratio=False),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='FormatShape', input_format='NCTHW'),
    pack,
]
test_pipeline = [
    dict(
        type='ReadClip',
        backend='opencv',
        sampler=dict(type='SampleFrames', clip_len=8, frame_interval=2, test_mode=True)),
    dict(type='Resize', scale=(48, 48), keep_ratio=False),
    dict(type='FormatShape', input_format='NCTHW'),
    pack,
]

dataset = dict(
    type='ActionSceneDataset',
    data_root=data_root,
    data_prefix=dict(video='videos'),
    columns=('filename', 'label', 'scene_label', 'background_label'),
    num_classes=num_classes,
    num_scene_classes=num_scene_classes)

train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=False,
    worker_init_fn=dict(type='seed_worker'),
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(ann_file='annotations/train.txt', pipeline=train_pipeline, **dataset))
val_dataloader = dict(
    batch_size=64,
    num_workers=1,
    persistent_workers=False,
    worker_init_fn=dict(type='seed_worker'),
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        ann_file='annotations/val.txt', pipeline=test_pipeline, test_mode=True, **dataset))
# the template of every test split: the first one, as it stands
test_dataloader = dict(
    batch_size=64,
    num_workers=1,
    persistent_workers=False,
    worker_init_fn=dict(type='seed_worker'),
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        ann_file='annotations/seen.txt', pipeline=test_pipeline, test_mode=True, **dataset))
test_splits = {
    'seen': dict(ann_file='annotations/seen.txt'),
    'unseen': dict(ann_file='annotations/unseen.txt'),
    'unseen-texture': dict(ann_file='annotations/unseen-texture.txt'),
    'scene-only': dict(ann_file='annotations/scene-only.txt'),
    'human-only': dict(ann_file='annotations/human-only.txt'),
}

val_cfg = dict(type='ActionValLoop')
val_evaluator = dict(type='ActionSceneMetric')
test_cfg = dict(type='MultiSplitTestLoop', splits=test_splits)
test_evaluator = []  # the loop writes prediction tables instead

del pack, dataset
