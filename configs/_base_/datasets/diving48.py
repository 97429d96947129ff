# data/diving48/{videos,annotations}, lists of `video.mp4 label`. Labels run from 0 to 47, and one of them
# does not occur. The published val.csv is the same file as test.csv.
_base_ = ['./videos_16x4.py']

data_root = 'data/diving48'
num_classes = 48

dataset = dict(
    data_root=data_root, data_prefix=dict(video='videos'), num_classes=num_classes)
train_dataloader = dict(dataset=dict(ann_file='annotations/train.csv', **dataset))
val_dataloader = dict(dataset=dict(ann_file='annotations/val.csv', **dataset))
test_dataloader = dict(dataset=dict(ann_file='annotations/test.csv', **dataset))

test_splits = dict(test=dict(ann_file='annotations/test.csv'))
test_cfg = dict(type='MultiSplitTestLoop', splits=test_splits)
del dataset
