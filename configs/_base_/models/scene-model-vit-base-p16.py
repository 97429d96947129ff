# The scene model of DEVIAS supp. B and Table 15, without its class number.
_base_ = ['./vit-base-p16.py']

scene_model = dict(
    type='NaiveRecognizer',
    backbone=dict(type='TokenViT', final_norm=False, drop_path_rate=0.1),
    pool_norm=True,
    label_smoothing=0.1)
# MAE on ImageNet-1k, its patch embedding inflated (tools/data/convert_checkpoint.py)
load_from = 'checkpoints/vit-base-p16_mae-imagenet1k.pth'
