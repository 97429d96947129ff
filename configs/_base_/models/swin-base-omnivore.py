# Omnivore's Swin-B (DEVIAS Table 14 d): 16 frames of 224 x 224, 392 tokens of width 1024.
backbone = dict(
    type='FeatureMapTokens',
    input_size=(16, 224, 224),
    backbone=dict(
        type='SwinTransformer3D',
        arch='base',
        pretrained2d=False,
        # the converter prints the window of the weights; a smaller clip uses a part of it
        window_size=(16, 7, 7),
        drop_path_rate=0.2),
    # Omnivore's weights, converted (docs/checkpoints.md)
    init_cfg=dict(type='Pretrained', checkpoint='checkpoints/swin-base_omnivore.pth'))
clip_preprocessor = dict(
    type='DebiasDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
