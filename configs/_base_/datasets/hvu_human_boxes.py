# HVU with the boxes of its humans, for the training batches' masks (docs/human_boxes.md).
_base_ = ['./hvu.py']

train_pipeline = [
    _base_.train_pipeline[0],
    dict(
        type='LoadHumanBoxes',
        data_root=_base_.data_root,
        boxes_file='human_boxes',
        geometry=_base_.train_pipeline[1:4]),
    *_base_.train_pipeline[4:-1],
    dict(
        type='PackActionInputs',
        algorithm_keys=('scene_label', 'background_label', 'masks'),
        meta_keys=('video_id', )),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
