# Swin-T of MMAction2's model zoo: 32 frames of 224 x 224, 784 tokens of width 768.
backbone = dict(
    type='FeatureMapTokens',
    input_size=(32, 224, 224),
    backbone=dict(
        type='SwinTransformer3D', arch='tiny', pretrained2d=False, drop_path_rate=0.1),
    # its checkpoint trained on Kinetics-400, as it is
    init_cfg=dict(type='Pretrained', checkpoint='checkpoints/swin-tiny_kinetics400.pth'))
clip_preprocessor = dict(
    type='DebiasDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
