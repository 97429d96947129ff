# VideoMAE ViT-S/16: 16 frames of 224 x 224, 1568 tokens.
backbone = dict(type='TokenViT', embed_dims=384, num_heads=6)
clip_preprocessor = dict(
    type='DebiasDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
# VideoMAE's weights of Kinetics-400, converted (docs/checkpoints.md); other data: its own
load_from = 'checkpoints/vit-small-p16_videomae-kinetics400.pth'
