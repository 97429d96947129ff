# data/hvu/{videos_train,videos_val,annotations}: HVU's videos with one action and one scene, in
# lists of `id action scene` (DEVIAS, supp. D); the videos are `id.mp4`. The 200 seen and the 229
# unseen videos are the two test sets. HVU has no other validation set: the curve on the seen
# ones only shows how training goes, nothing is chosen by it.
_base_ = ['./videos_16x4.py']

data_root = 'data/hvu'
num_classes = 739
num_scene_classes = 248

dataset = dict(
    data_root=data_root,
    columns=('filename', 'label', 'scene_label'),
    filename_suffix='.mp4',
    num_classes=num_classes,
    num_scene_classes=num_scene_classes)
val_set = dict(ann_file='annotations/val_seen.csv', data_prefix=dict(video='videos_val'))
train_dataloader = dict(
    dataset=dict(
        ann_file='annotations/train.csv', data_prefix=dict(video='videos_train'), **dataset))
val_dataloader = dict(dataset=dict(**val_set, **dataset))
test_dataloader = dict(dataset=dict(**val_set, **dataset))

test_splits = dict(seen=val_set, unseen=dict(ann_file='annotations/val_unseen.csv'))
test_cfg = dict(type='MultiSplitTestLoop', splits=test_splits)
del dataset, val_set
