"""UCF-101 after Kinetics-400 (DEVIAS Tables 5 and 11)."""
from dataclasses import replace
from pathlib import Path

from devias_mm.harness import load_suite
from devias_mm.harness.changes import on_dataset

DIVING48 = load_suite(Path(__file__).with_name('downstream_diving48.py'))
ucf101 = on_dataset('datasets/ucf101.py')

suite = replace(
    DIVING48,
    name='downstream_ucf101',
    title='Kinetics-400 to UCF-101: top-1 accuracy in percent',
    methods={name: replace(method, change=[method.change, ucf101])
             for name, method in DIVING48.methods.items()},
    splits=('seen', ),
    action_seen=('seen', ),
    data_config='configs/_base_/datasets/ucf101.py',
)
