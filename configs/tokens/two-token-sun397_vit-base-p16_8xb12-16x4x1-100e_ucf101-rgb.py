_base_ = [
    './two-token_vit-base-p16_8xb12-16x4x1-100e_ucf101-rgb.py',
    '../_base_/models/sun397_teacher.py'
]

# DEVIAS Table 12: scenes of SUN397
num_scene_classes = 397
model = dict(num_scene_classes=397, scene_teacher=_base_.sun397_teacher)
train_dataloader = dict(dataset=dict(num_scene_classes=397))
val_dataloader = dict(dataset=dict(num_scene_classes=397))
test_dataloader = dict(dataset=dict(num_scene_classes=397))
test_cfg = dict(splits={
    name: dict(scene_label_file=f'annotations/scenes_sun397/{name}.parquet')
    for name in _base_.test_splits})
