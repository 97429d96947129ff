# data/mini-kinetics200/{videos,annotations}, lists of `file label`: 200 classes of Kinetics-400, on which
# Choi et al. (2019) pre-train (tools/data/make_mini_kinetics.py).
_base_ = ['./videos_16x4.py']

data_root = 'data/mini-kinetics200'
num_classes = 200

dataset = dict(
    data_root=data_root, data_prefix=dict(video='videos'), num_classes=num_classes)
train_dataloader = dict(dataset=dict(ann_file='annotations/train.csv', **dataset))
val_dataloader = dict(dataset=dict(ann_file='annotations/val.csv', **dataset))
test_dataloader = dict(dataset=dict(ann_file='annotations/val.csv', **dataset))

test_splits = dict(test=dict(ann_file='annotations/val.csv'))
test_cfg = dict(type='MultiSplitTestLoop', splits=test_splits)
del dataset
