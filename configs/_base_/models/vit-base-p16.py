# VideoMAE ViT-B/16: 16 frames of 224 x 224, 1568 tokens.
backbone = dict(type='TokenViT')
clip_preprocessor = dict(
    type='DebiasDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
# the VideoMAE weights that a training starts from (docs/real_data.md)
load_from = 'checkpoints/vit-base-p16_videomae.pth'
