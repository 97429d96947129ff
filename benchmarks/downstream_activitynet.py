"""ActivityNet after Kinetics-400 (DEVIAS Tables 5 and 11)."""
from dataclasses import replace
from pathlib import Path

from devias_mm.harness import load_suite
from devias_mm.harness.changes import on_dataset

DIVING48 = load_suite(Path(__file__).with_name('downstream_diving48.py'))
activitynet = on_dataset('datasets/activitynet.py')

suite = replace(
    DIVING48,
    name='downstream_activitynet',
    title='Kinetics-400 to ActivityNet: top-1 accuracy in percent',
    methods={name: replace(method, change=[method.change, activitynet])
             for name, method in DIVING48.methods.items()},
    data_config='configs/_base_/datasets/activitynet.py',
)
