# Transfer (sections 3.1, 4.4): the checkpoint decides which pre-training is judged.
_base_ = [
    '../_base_/models/r3d-r18_finetune.py', '../_base_/datasets/hmdb51_16x1.py',
    '../_base_/schedules/scene_adversarial_100e.py', '../_base_/default_runtime.py'
]

find_unused_parameters = True  # the stages that are frozen

model = dict(
    type='NaiveRecognizer',
    backbone=_base_.backbone,
    num_classes=_base_.num_classes,
    data_preprocessor=_base_.clip_preprocessor)
