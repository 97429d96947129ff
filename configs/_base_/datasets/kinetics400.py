# data/kinetics400/{videos_train,videos_val,annotations}, lists of `file label` as MMAction2
# makes them. The validation set is the test set, as in the literature: the curve on it only
# shows how training goes, nothing is chosen by it.
_base_ = ['./videos_16x4.py']

data_root = 'data/kinetics400'
num_classes = 400
num_scene_classes = 365  # Places365, the classes of the scene teacher

dataset = dict(
    data_root=data_root, num_classes=num_classes, num_scene_classes=num_scene_classes)
val_set = dict(
    ann_file='annotations/kinetics400_val_list_videos.txt',
    data_prefix=dict(video='videos_val'))
train_dataloader = dict(
    dataset=dict(
        ann_file='annotations/kinetics400_train_list_videos.txt',
        data_prefix=dict(video='videos_train'),
        **dataset))
val_dataloader = dict(dataset=dict(**val_set, **dataset))
test_dataloader = dict(dataset=dict(**val_set, **dataset))

test_splits = dict(seen=val_set)
test_cfg = dict(type='MultiSplitTestLoop', splits=test_splits)
del dataset, val_set
