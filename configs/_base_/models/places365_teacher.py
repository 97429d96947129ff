# The frozen scene model that labels the scenes of UCF-101 and Kinetics-400 (DEVIAS supp. B).
scene_teacher = dict(
    type='NaiveRecognizer',
    task='scene',
    num_classes=0,
    num_scene_classes=365,
    pool_norm=True,
    backbone=dict(type='TokenViT', final_norm=False),
    init_cfg=dict(type='Pretrained', checkpoint='checkpoints/vit-base-p16_places365.pth'))
