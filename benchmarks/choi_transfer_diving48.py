"""Diving48 after Mini-Kinetics-200 (Choi et al. 2019, Table 1)."""
from dataclasses import replace
from pathlib import Path

from devias_mm.evaluation.metrics import per_split, seen_unseen
from devias_mm.evaluation.reference import Reference
from devias_mm.harness import Data, Protocol, load_suite
from devias_mm.harness.changes import on_dataset

HMDB51 = load_suite(Path(__file__).with_name('choi_transfer_hmdb51.py'))
diving48 = on_dataset('datasets/diving48_16x1.py')

# the published fine-tuning on Diving48 alone trains all layers
ALL_LAYERS = dict(
    model=dict(backbone=dict(backbone=dict(frozen_stages=-1))),
    optim_wrapper=dict(optimizer=dict(lr=0.005)))

methods = {}
for name, method in HMDB51.methods.items():
    changes = [method.change, diving48]
    if name.endswith('-released'):
        changes.append(ALL_LAYERS)
    methods[name] = replace(method, change=changes)

suite = replace(
    HMDB51,
    name='choi_transfer_diving48',
    title='Mini-Kinetics-200 to Diving48: top-1 accuracy in percent',
    methods=methods,
    protocol=Protocol(
        splits=('test', ),
        metrics=(*seen_unseen(action_seen=('test', )), *per_split(('test', ))),
        rank_by=('action_seen', ),
        references=(Reference('choi_table01', columns={'diving48': 'action_seen'}, rows={
            'none': dict(label='3D-ResNet-18'),
            'both': dict(label='3D-ResNet-18 + debiased')}), )),
    data=Data('configs/_base_/datasets/diving48_16x1.py'),
)
