_base_ = [
    '../_base_/models/conv-tokens.py', '../_base_/datasets/puppets.py',
    '../_base_/schedules/puppets.py', '../_base_/default_runtime.py'
]

load_from = 'work_dirs/naive-scene_conv-tokens_1xb16-8x2x1-16e_puppets-rgb/epoch_16.pth'

optim_wrapper = dict(
    constructor='FeatureClassifierOptimWrapperConstructor',
    paramwise_cfg=dict(_delete_=True, decay_rate=1.))

model = dict(
    type='FeatureClassifier',
    encoder=dict(
        type='NaiveRecognizer',
        task='scene',
        backbone=_base_.backbone,
        num_classes=_base_.num_classes,
        num_scene_classes=_base_.num_scene_classes),
    inputs=('scene', ),
    frozen=True,
    keep_predictions=True,
    num_classes=_base_.num_classes,
    data_preprocessor=_base_.clip_preprocessor)
