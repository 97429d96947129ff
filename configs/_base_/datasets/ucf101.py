# data/ucf101/{videos,annotations}, lists of `file label` as MMAction2 makes them. UCF-101 has
# no validation set: the list below only shows how training goes, nothing is chosen by it.
_base_ = ['./videos_16x4.py']

data_root = 'data/ucf101'
num_classes = 101
num_scene_classes = 365  # Places365, the classes of the scene teacher

dataset = dict(
    data_root=data_root,
    data_prefix=dict(video='videos'),
    num_classes=num_classes,
    num_scene_classes=num_scene_classes)
train_dataloader = dict(
    dataset=dict(ann_file='annotations/ucf101_train_split_1_videos.txt', **dataset))
val_dataloader = dict(
    dataset=dict(ann_file='annotations/ucf101_val_split_1_videos.txt', **dataset))
test_dataloader = dict(
    dataset=dict(ann_file='annotations/ucf101_val_split_1_videos.txt', **dataset))

test_splits = dict(seen=dict(ann_file='annotations/ucf101_val_split_1_videos.txt'))
test_cfg = dict(type='MultiSplitTestLoop', splits=test_splits)
del dataset
