# data/sun397/{SUN397,annotations}: the images in their published folders, and lists of
# `file label` made from a published partition (docs/scenes_and_masks.md).
_base_ = ['./places365.py']

data_root = 'data/sun397'
num_classes = 397

dataset = dict(
    data_root=data_root,
    num_classes=num_classes,
    delimiter=None,
    data_prefix=dict(video='SUN397'))
val_set = dict(ann_file='annotations/test.txt')
train_dataloader = dict(dataset=dict(ann_file='annotations/train.txt', **dataset))
val_dataloader = dict(dataset=dict(**val_set, **dataset))
test_dataloader = dict(dataset=dict(**val_set, **dataset))
test_splits = dict(_delete_=True, val=val_set)
test_cfg = dict(splits=test_splits)
del dataset
