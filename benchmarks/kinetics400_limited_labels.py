"""Kinetics-400 with 1 %, 10 % and all of its labels after pre-training (DSM Fig. 4), I3D.

`tools/data/make_label_subset.py --percent 1` and `10` make the lists.
"""
from dataclasses import replace
from pathlib import Path

from devias_mm.harness import load_suite
from devias_mm.harness.changes import on_dataset

UCF101 = load_suite(Path(__file__).with_name('ucf101_pretraining.py'))
kinetics400 = on_dataset('datasets/kinetics400.py')
LISTS = {
    '1pct': ('1 %', 'annotations/kinetics400_train_list_videos_1pct_seed0.txt'),
    '10pct': ('10 %', 'annotations/kinetics400_train_list_videos_10pct_seed0.txt'),
    '100pct': ('all labels', 'annotations/kinetics400_train_list_videos.txt'),
}

methods = {}
for short, (shown, ann_file) in LISTS.items():
    labels = dict(train_dataloader=dict(dataset=dict(ann_file=ann_file)))
    for name, label in (('scratch', 'random weights'), ('moco', 'MoCo'),
                        ('dsm-triplet', 'DSM (Triplet)'), ('dsm', 'DSM')):
        methods[f'{name}-{short}'] = replace(
            UCF101.methods[f'{name}-i3d-r50'], label=f'{label}, {shown}',
            change=[kinetics400, labels])

suite = replace(
    UCF101,
    name='kinetics400_limited_labels',
    title='Kinetics-400 with a part of its labels: top-1 accuracy in percent',
    methods=methods,
    data_config='configs/_base_/datasets/kinetics400.py',
)
