"""HMDB-51 after pre-training without labels (DSM Table 1; BE), its first split."""
from dataclasses import replace
from pathlib import Path

from devias_mm.evaluation.metrics import per_split, seen_unseen
from devias_mm.harness import Data, Protocol, load_suite
from devias_mm.harness.changes import on_dataset

UCF101 = load_suite(Path(__file__).with_name('ucf101_pretraining.py'))
hmdb51 = on_dataset('datasets/hmdb51.py')

PRINTED = replace(UCF101.protocol.references[0], columns={'hmdb51': 'action_seen'})

suite = replace(
    UCF101,
    name='hmdb51_pretraining',
    title='Pre-training without labels to HMDB-51: top-1 accuracy in percent',
    # the pre-trainings stay those of UCF-101 and Kinetics-400
    methods={name: replace(method, change=[method.change, hmdb51])
             for name, method in UCF101.methods.items()},
    protocol=Protocol(
        splits=('test', ),
        metrics=(*seen_unseen(action_seen=('test', )), *per_split(('test', ))),
        rank_by=('action_seen', ),
        references=(PRINTED, )),
    data=Data('configs/_base_/datasets/hmdb51.py'),
)
