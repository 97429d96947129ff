"""The embedded benchmark with a tenth of its labels after pre-training (as DSM Fig. 4).

The list is made by `tools/data/make_label_subset.py --percent 10` with all label columns.
"""
from dataclasses import replace
from pathlib import Path

from devias_mm.harness import load_suite

PRETRAINING = load_suite(Path(__file__).with_name('puppets_pretraining.py'))
# 104 labelled clips; epochs so that there are enough steps
TENTH = dict(
    train_cfg=dict(max_epochs=48, val_interval=48),
    param_scheduler=[
        dict(type='LinearLR', start_factor=0.01, end=4, convert_to_iter_based=True),
        dict(type='CosineAnnealingLR', begin=4, end=48, eta_min=0., convert_to_iter_based=True),
    ],
    train_dataloader=dict(dataset=dict(ann_file='annotations/train_10pct_seed0.txt')))

suite = replace(
    PRETRAINING,
    name='puppets_limited_labels',
    title='Puppets (demo preset) with a tenth of its labels: top-1 accuracy in percent',
    methods={name: replace(method, change=TENTH)
             for name, method in PRETRAINING.methods.items()},
)
