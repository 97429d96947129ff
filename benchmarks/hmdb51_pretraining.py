"""HMDB-51 after pre-training without labels (DSM Table 1), its first split."""
from dataclasses import replace
from pathlib import Path

from devias_mm.harness import load_suite
from devias_mm.harness.changes import on_dataset

UCF101 = load_suite(Path(__file__).with_name('ucf101_pretraining.py'))
hmdb51 = on_dataset('datasets/hmdb51.py')

suite = replace(
    UCF101,
    name='hmdb51_pretraining',
    title='Pre-training without labels to HMDB-51: top-1 accuracy in percent',
    # the pre-trainings stay those of UCF-101 and Kinetics-400
    methods={name: replace(method, change=hmdb51) for name, method in UCF101.methods.items()},
    splits=('test', ),
    action_seen=('test', ),
    data_config='configs/_base_/datasets/hmdb51.py',
)
