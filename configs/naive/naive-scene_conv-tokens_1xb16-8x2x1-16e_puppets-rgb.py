_base_ = ['./naive-action_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py']

model = dict(task='scene', num_scene_classes=_base_.num_scene_classes)
