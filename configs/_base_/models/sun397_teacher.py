# The scene model trained on SUN397 instead (DEVIAS supp. F.4, Table 12): what differs from
# `scene_teacher` of places365_teacher.py, as `model = dict(scene_teacher=_base_.sun397_teacher)`.
sun397_teacher = dict(
    num_scene_classes=397,
    init_cfg=dict(type='Pretrained', checkpoint='checkpoints/vit-base-p16_sun397.pth'))
