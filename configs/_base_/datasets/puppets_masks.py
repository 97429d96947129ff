# Puppets with the true foreground masks in the training batches, in place of a mask source.
_base_ = ['./puppets.py']

train_pipeline = [
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
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
