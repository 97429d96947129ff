# DSM, "Overall Architecture": three crops of one video, each the same in all frames; basic
# augmentation for the anchor alone. The paper does not say what its basic augmentation is: that
# of the other 16x4 data sets. 16 frames, every fourth, 224 px, shifts as on Kinetics.
crop = [
    dict(type='RandomResizedCrop'),
    dict(type='Resize', scale=(224, 224), keep_ratio=False),
]
basic = crop + [
    dict(type='Flip', flip_ratio=0.5),
    dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.0),
]
dsm_pipeline = [
    dict(
        type='ReadClip',
        sampler=dict(
            type='TemporalShiftFrames', clip_len=16, frame_interval=4, shift_range=(4, 30))),
    dict(type='ContrastiveViews', views=[basic, crop, crop], clips=(0, 0, 1)),
    dict(type='BackwardFlow', view=2),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs', algorithm_keys=('flow', ), meta_keys=('video_id', )),
]
moco_pipeline = [
    dict(
        type='ReadClip',
        sampler=dict(type='SampleFrames', clip_len=16, frame_interval=4)),
    dict(type='ContrastiveViews', views=[basic, basic], clips=(0, 0)),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs', meta_keys=('video_id', )),
]
# retrieval: the videos in units of 16 frames
unit_pipeline = [
    dict(type='ReadClip', sampler=dict(type='ConsecutiveClips', clip_len=16)),
    dict(type='Resize', scale=(-1, 256)),
    dict(type='CenterCrop', crop_size=224),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs', meta_keys=('video_id', )),
]
del crop, basic
