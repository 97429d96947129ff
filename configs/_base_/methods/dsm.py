# DSM: anchor as it is, positive warped, negative with scaled motion. A config adds the backbone,
# and mean and standard deviation of its clips.
model = dict(
    type='DSM',
    data_preprocessor=dict(
        type='ContrastiveDataPreprocessor',
        views=[
            [],
            [dict(type='SpatialWarp', strength=0.1)],
            [dict(type='MotionScaling', maximum=5.)],
        ]))
