# VideoMAE ViT-B/16: 16 frames of 224 x 224, 1568 tokens.
backbone = dict(type='TokenViT')
clip_preprocessor = dict(
    type='DebiasDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
