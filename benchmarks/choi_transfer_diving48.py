"""Diving48 after Mini-Kinetics-200 (Choi et al. 2019, Table 1)."""
from dataclasses import replace
from pathlib import Path

from devias_mm.evaluation.metrics import per_split, seen_unseen
from devias_mm.evaluation.reference import Reference
from devias_mm.harness import Data, Protocol, load_suite
from devias_mm.harness.changes import on_dataset

HMDB51 = load_suite(Path(__file__).with_name('choi_transfer_hmdb51.py'))
diving48 = on_dataset('datasets/diving48_16x1.py')

suite = replace(
    HMDB51,
    name='choi_transfer_diving48',
    title='Mini-Kinetics-200 to Diving48: top-1 accuracy in percent',
    methods={name: replace(method, change=diving48) for name, method in HMDB51.methods.items()},
    protocol=Protocol(
        splits=('test', ),
        metrics=(*seen_unseen(action_seen=('test', )), *per_split(('test', ))),
        rank_by=('action_seen', ),
        references=(Reference('choi_table01', columns={'diving48': 'action_seen'}, rows={
            'none': dict(label='3D-ResNet-18'),
            'both': dict(label='3D-ResNet-18 + debiased')}), )),
    data=Data('configs/_base_/datasets/diving48_16x1.py'),
)
