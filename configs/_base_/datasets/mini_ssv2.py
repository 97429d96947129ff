# data/mini_ssv2/{videos,annotations}, lists of `id.mp4 label`: the 88 classes of Something-Something-V2
# that DEVIAS transfers to. The published val.csv is the same file as test.csv.
_base_ = ['./videos_16x4.py']

data_root = 'data/mini_ssv2'
num_classes = 88

dataset = dict(
    data_root=data_root, data_prefix=dict(video='videos'), num_classes=num_classes)
train_dataloader = dict(dataset=dict(ann_file='annotations/train.csv', **dataset))
val_dataloader = dict(dataset=dict(ann_file='annotations/val.csv', **dataset))
test_dataloader = dict(dataset=dict(ann_file='annotations/test.csv', **dataset))

test_splits = dict(test=dict(ann_file='annotations/test.csv'))
test_cfg = dict(type='MultiSplitTestLoop', splits=test_splits)
del dataset
