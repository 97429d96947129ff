# BE, self-supervised (published code): two crops of one clip, one of another clip of the video;
# basic augmentation on all of them. 16 frames, every fourth, 224 px.
basic = [
    dict(type='Resize', scale=(-1, 256)),
    dict(type='RandomCrop', size=224),
]
be_pipeline = [
    dict(
        type='ReadClip',
        sampler=dict(
            type='TemporalShiftFrames', clip_len=16, frame_interval=4, shift_range=(4, None))),
    dict(type='ContrastiveViews', views=[basic, basic, basic], clips=(0, 0, 1)),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs', meta_keys=('video_id', )),
]
# on the device: the anchor's background is erased, in every clip, by one weight a batch
rotation = dict(type='RandomRotation', degrees=10)
jitter = dict(type='ClipColorJitter', brightness=0.5, contrast=0.5, saturation=0.25, hue=0.5)
erasing = dict(type='BackgroundErasing', max_weight=0.3, ratio=1., weight_per_clip=False)
be_views = [[rotation, jitter, erasing], [rotation, jitter], [rotation, jitter]]
del basic, rotation, jitter, erasing
