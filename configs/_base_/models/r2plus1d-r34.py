# R(2+1)D-34: 16 frames of 224 x 224, 98 tokens of width 512.
backbone = dict(
    type='FeatureMapTokens',
    input_size=(16, 224, 224),
    backbone=dict(
        type='ResNet2Plus1d',
        depth=34,
        pretrained2d=False,
        conv_cfg=dict(type='Conv2plus1d'),
        # `sync_bn='torch'` in a config synchronises it, as MMAction2's recipe does
        norm_cfg=dict(type='BN3d', eps=1e-3),
        conv1_kernel=(3, 7, 7),
        temporal_strides=(1, 2, 2, 2),
        zero_init_residual=False),
    # an R(2+1)D of MMAction2's model zoo, as it is
    init_cfg=dict(type='Pretrained', checkpoint='checkpoints/r2plus1d-r34_kinetics400.pth'))
clip_preprocessor = dict(
    type='DebiasDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
