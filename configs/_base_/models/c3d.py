# C3D up to conv5b: 16 frames of 112 x 112, 98 tokens of width 512; from scratch.
# The Sports-1M weights of MMAction2's model zoo are without batch norm: norm_cfg=None,
# pretrained=FILE of the inner backbone, mean=[104, 117, 128], std=[1] * 3.
backbone = dict(
    type='FeatureMapTokens',
    input_size=(16, 112, 112),
    backbone=dict(type='C3DFeatureMap', norm_cfg=dict(type='BN3d')))
clip_preprocessor = dict(
    type='DebiasDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
