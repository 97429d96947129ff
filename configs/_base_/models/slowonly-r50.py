# SlowOnly-ResNet-50: 16 frames of 224 x 224, 784 tokens of width 2048.
backbone = dict(
    type='FeatureMapTokens',
    input_size=(16, 224, 224),
    backbone=dict(type='ResNet3dSlowOnly', depth=50, lateral=False),
    # a SlowOnly of MMAction2's model zoo, as it is
    init_cfg=dict(type='Pretrained', checkpoint='checkpoints/slowonly-r50_kinetics400.pth'))
clip_preprocessor = dict(
    type='DebiasDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
