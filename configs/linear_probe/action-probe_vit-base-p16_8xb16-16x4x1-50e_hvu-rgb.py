_base_ = [
    '../_base_/models/vit-base-p16.py', '../_base_/datasets/hvu.py',
    '../_base_/schedules/linear_probe_50e.py', '../_base_/default_runtime.py'
]

load_from = 'work_dirs/naive-scene_vit-base-p16_8xb12-16x4x1-50e_hvu-rgb/epoch_50.pth'

# DEVIAS Table 21
train_dataloader = dict(batch_size=16)
optim_wrapper = dict(optimizer=dict(lr=5e-4 * 128 / 256))

model = dict(
    type='FeatureClassifier',
    encoder=dict(
        type='NaiveRecognizer',
        task='scene',
        backbone=dict(**_base_.backbone, final_norm=False),
        pool_norm=True,
        num_classes=_base_.num_classes,
        num_scene_classes=_base_.num_scene_classes),
    inputs=('scene', ),
    frozen=True,
    keep_predictions=True,
    num_classes=_base_.num_classes,
    data_preprocessor=_base_.clip_preprocessor)
