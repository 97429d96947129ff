_base_ = ['./naive-action_vit-base-p16_8xb12-16x4x1-50e_hvu-rgb.py']

# DEVIAS Table 18; HVU has scene labels of its own
model = dict(task='scene', num_scene_classes=_base_.num_scene_classes)
