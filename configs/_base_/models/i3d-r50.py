# I3D-ResNet-50 (DEVIAS Table 14 c): 16 frames of 224 x 224, 98 tokens of width 2048.
backbone = dict(
    type='FeatureMapTokens',
    input_size=(16, 224, 224),
    backbone=dict(
        type='ResNet3d',
        depth=50,
        conv1_kernel=(5, 7, 7),
        conv1_stride_t=2,
        pool1_stride_t=2,
        inflate=((1, 1, 1), (1, 0, 1, 0), (1, 0, 1, 0, 1, 0), (0, 1, 0)),
        zero_init_residual=False),
    # an I3D of MMAction2's model zoo, as it is
    init_cfg=dict(type='Pretrained', checkpoint='checkpoints/i3d-r50_kinetics400.pth'))
clip_preprocessor = dict(
    type='DebiasDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
