# 3D-ResNet-18 (Choi et al. 2019, section 4.2; Hara et al., CVPR 2018):
# 16 frames of 112 x 112, 16 tokens of width 512; from scratch.
backbone = dict(
    type='FeatureMapTokens',
    input_size=(16, 112, 112),
    backbone=dict(
        type='ResNet3d',
        depth=18,
        pretrained2d=False,
        conv1_kernel=(7, 7, 7),
        pool1_stride_t=2,
        with_pool2=False,
        temporal_strides=(1, 2, 2, 2),
        zero_init_residual=False))
clip_preprocessor = dict(
    type='DebiasDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
