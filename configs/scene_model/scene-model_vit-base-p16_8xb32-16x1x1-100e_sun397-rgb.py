_base_ = [
    '../_base_/models/scene-model-vit-base-p16.py', '../_base_/datasets/sun397.py',
    '../_base_/schedules/scene_model_100e.py', '../_base_/default_runtime.py',
    '../_base_/augments/mixing.py'
]

model = dict(
    **_base_.scene_model,
    num_classes=_base_.num_classes,
    data_preprocessor=dict(
        **_base_.clip_preprocessor,
        augments=[dict(**_base_.mixing, num_classes=_base_.num_classes)]))
