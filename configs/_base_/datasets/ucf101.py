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

scuba = dict(
    type='FrameFolderDataset',
    ann_file='scuba/test.csv',
    columns=('filename', 'total_frames', 'label'))
hat = dict(
    type='HATDataset',
    layout='devias-ucf101',
    rule='devias',
    labels_file='hat/annotations/labels.csv',
    data_prefix=dict(video='hat'))
test_splits = {
    'seen': dict(ann_file='annotations/ucf101_val_split_1_videos.txt'),
    **{f'scuba-{name}': dict(data_prefix=dict(video=f'scuba/{name}'), **scuba)
       for name in ('vqgan', 'sinusoid', 'places365')},
    # one frame of each, repeated: the fewer of these are right, the better
    **{f'scufo-{name}': dict(
        data_prefix=dict(video=f'scuba/{name}'), still_frame='random', **scuba)
       for name in ('vqgan', 'sinusoid', 'places365')},
    'conflfg': dict(
        scuba, ann_file='conflfg/test.csv', data_prefix=dict(video='conflfg/frames')),
    **{f'hat-{kind}': dict(kind=kind, ann_file='hat/annotations/list.csv', **hat)
       for kind in ('scene-only', 'human-only')},
    **{f'hat-{name}/{draw}': dict(
        kind='action-swap',
        ann_file=f'hat/annotations/{folder}/actionswap_{folder}_{draw}.pickle',
        **hat)
       for name, folder in (('random', 'rand'), ('close', 'close'), ('far', 'far'),
                            ('same', 'same'))
       for draw in (1, 2, 3)},
}
# scene labels of a teacher, made once by tools/data/pseudo_label_scenes.py; without such a file a
# split has none
for name in test_splits:
    test_splits[name] = dict(
        test_splits[name], scene_label_file=f'annotations/scenes/{name}.parquet')
# others by `tools/test.py --splits`; docs/test_sets.md says where their files belong
test_cfg = dict(type='MultiSplitTestLoop', splits=test_splits, selected=['seen'])
del dataset, scuba, hat, name
