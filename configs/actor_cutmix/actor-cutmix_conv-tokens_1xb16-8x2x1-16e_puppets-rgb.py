_base_ = [
    '../_base_/models/conv-tokens.py', '../_base_/datasets/puppets.py',
    '../_base_/schedules/puppets.py', '../_base_/default_runtime.py',
    '../_base_/augments/actor_cutmix.py'
]

# the true masks stand for those of a human detector
train_dataloader = dict(dataset=dict(pipeline=[
    _base_.train_pipeline[0],
    dict(
        type='LoadMasks',
        data_root=_base_.data_root,
        path='masks/{video_id}.npz',
        geometry=_base_.train_pipeline[1:4]),
    _base_.train_pipeline[4],
    dict(
        type='PackActionInputs',
        algorithm_keys=('scene_label', 'background_label', 'masks'),
        meta_keys=('video_id', )),
]))

model = dict(
    type='NaiveRecognizer',
    backbone=_base_.backbone,
    num_classes=_base_.num_classes,
    init_scale=None,  # from scratch: there is no trained encoder to protect
    data_preprocessor=dict(**_base_.clip_preprocessor, augments=[
        dict(**_base_.actor_cutmix, num_classes=_base_.num_classes)]))
