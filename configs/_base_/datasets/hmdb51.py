# data/hmdb51/{videos,annotations}, lists of `class/video.avi label`; the first of three splits. It has
# no validation set: the curve on the test list only shows how training goes.
_base_ = ['./videos_16x4.py']

data_root = 'data/hmdb51'
num_classes = 51

dataset = dict(
    data_root=data_root, data_prefix=dict(video='videos'), num_classes=num_classes)
train_dataloader = dict(dataset=dict(ann_file='annotations/train1.csv', **dataset))
val_dataloader = dict(dataset=dict(ann_file='annotations/test1.csv', **dataset))
test_dataloader = dict(dataset=dict(ann_file='annotations/test1.csv', **dataset))

test_splits = dict(test=dict(ann_file='annotations/test1.csv'))
test_cfg = dict(type='MultiSplitTestLoop', splits=test_splits)
del dataset
