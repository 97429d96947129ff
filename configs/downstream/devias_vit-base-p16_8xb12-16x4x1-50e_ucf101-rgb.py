_base_ = [
    '../_base_/models/kinetics400_encoders.py', '../_base_/datasets/ucf101.py',
    '../_base_/schedules/vit_downstream_50e.py', '../_base_/default_runtime.py'
]

load_from = 'work_dirs/devias_vit-base-p16_8xb12-16x4x1-100e_kinetics400-rgb/epoch_100.pth'

# DEVIAS (concat.), Table 11
model = dict(
    type='FeatureClassifier',
    encoder=_base_.devias_encoder,
    num_classes=_base_.num_classes,
    data_preprocessor=_base_.clip_preprocessor)
