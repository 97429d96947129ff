"""UCF-101 after Mini-Kinetics-200 (Choi et al. 2019, Table 1), its first split."""
from dataclasses import replace
from pathlib import Path

from devias_mm.evaluation.metrics import per_split, seen_unseen
from devias_mm.evaluation.reference import Reference
from devias_mm.harness import Data, Protocol, load_suite
from devias_mm.harness.changes import on_dataset

HMDB51 = load_suite(Path(__file__).with_name('choi_transfer_hmdb51.py'))
ucf101 = on_dataset('datasets/ucf101_16x1.py')

suite = replace(
    HMDB51,
    name='choi_transfer_ucf101',
    title='Mini-Kinetics-200 to UCF-101: top-1 accuracy in percent',
    methods={name: replace(method, change=[method.change, ucf101])
             for name, method in HMDB51.methods.items()},
    protocol=Protocol(
        splits=('seen', ),
        metrics=(*seen_unseen(action_seen=('seen', )), *per_split(('seen', ))),
        rank_by=('action_seen', ),
        references=(Reference('choi_table01', columns={'ucf101': 'action_seen'}, rows={
            'none': dict(label='3D-ResNet-18'),
            'both': dict(label='3D-ResNet-18 + debiased')}), )),
    data=Data('configs/_base_/datasets/ucf101_16x1.py'),
)
