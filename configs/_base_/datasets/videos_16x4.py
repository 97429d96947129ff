# What UCF-101 and Kinetics-400 have in common: dense clips of 16 frames, every fourth, 224 px
# (DEVIAS, supp. B and tables 16-20). Lists of `file label`; where scene labels are at hand,
# `columns=('filename', 'label', 'scene_label')` and lists of that form.
pack = dict(
    type='PackActionInputs',
    algorithm_keys=('scene_label', 'background_label'),
    meta_keys=('video_id', ))
train_pipeline = [
    dict(type='ReadClip', sampler=dict(type='SampleFrames', clip_len=16, frame_interval=4)),
    dict(type='RandomResizedCrop'),
    dict(type='Resize', scale=(224, 224), keep_ratio=False),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.0),
    dict(type='FormatShape', input_format='NCTHW'),
    pack,
]
# with the boxes of its humans, for the training batches' masks (docs/human_boxes.md); the step of
# the boxes wants `data_root`
human_box_steps = [
    train_pipeline[0],
    dict(type='LoadHumanBoxes', boxes_file='human_boxes', geometry=train_pipeline[1:4]),
    *train_pipeline[4:-1],
    dict(
        type='PackActionInputs',
        algorithm_keys=('scene_label', 'background_label', 'masks'),
        meta_keys=('video_id', )),
]
val_pipeline = [
    dict(
        type='ReadClip',
        sampler=dict(type='SampleFrames', clip_len=16, frame_interval=4, test_mode=True)),
    dict(type='Resize', scale=(-1, 256)),
    dict(type='CenterCrop', crop_size=224),
    dict(type='FormatShape', input_format='NCTHW'),
    pack,
]
# 2 clips x 3 crops. The published code resizes the shorter side to 224 and keeps the ratio:
# `dict(type='Resize', scale=(-1, 224))` and MMAction2's `ThreeCrop` do that.
test_pipeline = [
    dict(
        type='ReadClip',
        sampler=dict(
            type='SampleFrames', clip_len=16, frame_interval=4, num_clips=2, test_mode=True)),
    dict(type='Resize', scale=(256, 256), keep_ratio=False),
    dict(type='ThreeCropViews', crop_size=224),
    dict(type='FormatShape', input_format='NCTHW'),
    pack,
]

loader = dict(
    num_workers=8, persistent_workers=False, worker_init_fn=dict(type='seed_worker'))
train_dataloader = dict(
    batch_size=12,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='ActionSceneDataset', pipeline=train_pipeline),
    **loader)
val_dataloader = dict(
    batch_size=12,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='ActionSceneDataset', pipeline=val_pipeline, test_mode=True),
    **loader)
test_dataloader = dict(
    batch_size=4,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='ActionSceneDataset', pipeline=test_pipeline, test_mode=True),
    **loader)

val_cfg = dict(type='ActionValLoop')
val_evaluator = dict(type='ActionSceneMetric')
test_evaluator = []  # the loop writes prediction tables instead
del pack, loader
