# Clips of 16 consecutive frames of 112 x 112 (Choi et al. 2019, section 4.2; augmentation and
# sampling of Hara et al., CVPR 2018, whose settings it takes over), for the loaders of a data set.
pack = dict(
    type='PackActionInputs',
    algorithm_keys=('scene_label', 'background_label'),
    meta_keys=('video_id', ))
clip_train_pipeline = [
    dict(type='ReadClip', sampler=dict(type='SampleFrames', clip_len=16, frame_interval=1)),
    # five places, five scales: 2^(-k / 4) of the shorter side
    dict(
        type='MultiScaleCrop',
        input_size=112,
        scales=(1, 0.841, 0.707, 0.595, 0.5),
        max_wh_scale_gap=0),
    dict(type='Resize', scale=(112, 112), keep_ratio=False),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='FormatShape', input_format='NCTHW'),
    pack,
]
clip_val_pipeline = [
    dict(
        type='ReadClip',
        sampler=dict(type='SampleFrames', clip_len=16, frame_interval=1, test_mode=True)),
    dict(type='Resize', scale=(-1, 112)),
    dict(type='CenterCrop', crop_size=112),
    dict(type='FormatShape', input_format='NCTHW'),
    pack,
]
clip_test_pipeline = [
    dict(
        type='ReadClip',
        sampler=dict(
            type='SampleFrames', clip_len=16, frame_interval=1, num_clips=10, test_mode=True)),
    dict(type='Resize', scale=(-1, 112)),
    dict(type='CenterCrop', crop_size=112),
    dict(type='FormatShape', input_format='NCTHW'),
    pack,
]
clips_16x1 = dict(
    train=dict(batch_size=16, dataset=dict(pipeline=clip_train_pipeline)),
    val=dict(batch_size=32, dataset=dict(pipeline=clip_val_pipeline)),
    test=dict(batch_size=8, dataset=dict(pipeline=clip_test_pipeline)))
del pack, clip_train_pipeline, clip_val_pipeline, clip_test_pipeline
