# data/mini-kinetics200/{videos,human_boxes,annotations}: the 200 classes of Kinetics-400 that Xie
# et al. (S3D, ECCV 2018) chose, lists of `file label` with labels 0..199
# (tools/data/make_mini_kinetics.py). The validation set decides on learning rate and checkpoint
# (Choi et al. 2019, section 4.2). Trainings without human masks take
# `clips_16x1.train.dataset.pipeline`, which reads no boxes.
_base_ = ['./videos_16x4.py', './clips_16x1_112.py']

data_root = 'data/mini-kinetics200'
num_classes = 200
num_scene_classes = 365  # Places365, the classes of the scene teacher

steps = _base_.clips_16x1.train.dataset.pipeline
train_pipeline = [
    steps[0],
    dict(
        type='LoadHumanBoxes',
        data_root=data_root,
        boxes_file='human_boxes',
        geometry=steps[1:4]),
    steps[4],
    dict(
        type='PackActionInputs',
        algorithm_keys=('scene_label', 'background_label', 'masks'),
        meta_keys=('video_id', )),
]
dataset = dict(
    data_root=data_root,
    data_prefix=dict(video='videos'),
    num_classes=num_classes,
    num_scene_classes=num_scene_classes)
train_dataloader = dict(
    batch_size=16,
    dataset=dict(ann_file='annotations/train.csv', pipeline=train_pipeline, **dataset))
val_dataloader = dict(
    batch_size=32,
    dataset=dict(
        ann_file='annotations/val.csv', pipeline=_base_.clips_16x1.val.dataset.pipeline,
        **dataset))
test_dataloader = dict(
    batch_size=8,
    dataset=dict(
        ann_file='annotations/val.csv', pipeline=_base_.clips_16x1.test.dataset.pipeline,
        **dataset))
val_evaluator = dict(type='ActionLossMetric')  # the schedule follows the validation loss

test_splits = dict(val=dict(ann_file='annotations/val.csv'))
test_cfg = dict(type='MultiSplitTestLoop', splits=test_splits)
del dataset, steps
