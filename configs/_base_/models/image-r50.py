# A 2D ResNet-50 for single frames of 224 x 224: 49 tokens of width 2048. It starts from torchvision's
# weights of ImageNet-1k, as they are.
backbone = dict(
    type='FeatureMapTokens',
    input_size=(1, 224, 224),
    frame_wise=True,
    backbone=dict(
        type='ResNet', depth=50, pretrained='checkpoints/resnet50_imagenet1k.pth'))
