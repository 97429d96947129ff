# data/activitynet/{videos,annotations}, lists of `id start end duration label`, in seconds: the segments
# of the videos `v_<id>.mp4` in which something happens; only they are decoded. Eight rows of
# the training list end before they start; they are left out, and their lines are logged. Where a
# segment ends after its video (153 rows), it ends with it.
_base_ = ['./videos_16x4.py']

data_root = 'data/activitynet'
num_classes = 200

dataset = dict(
    data_root=data_root,
    data_prefix=dict(video='videos'),
    columns=('filename', 'start', 'end', 'duration', 'label'),
    filename_prefix='v_',
    filename_suffix='.mp4',
    bad_segments='skip',
    num_classes=num_classes)
train_dataloader = dict(dataset=dict(ann_file='annotations/train.csv', **dataset))
val_dataloader = dict(dataset=dict(ann_file='annotations/val.csv', **dataset))
test_dataloader = dict(dataset=dict(ann_file='annotations/val.csv', **dataset))

test_splits = dict(test=dict(ann_file='annotations/val.csv'))
test_cfg = dict(type='MultiSplitTestLoop', splits=test_splits)
del dataset
