"""UCF-101 after Mini-Kinetics-200 (Choi et al. 2019, Table 1), its first split."""
from dataclasses import replace
from pathlib import Path

from devias_mm.harness import load_suite
from devias_mm.harness.changes import on_dataset

HMDB51 = load_suite(Path(__file__).with_name('choi_transfer_hmdb51.py'))
ucf101 = on_dataset('datasets/ucf101_16x1.py')

suite = replace(
    HMDB51,
    name='choi_transfer_ucf101',
    title='Mini-Kinetics-200 to UCF-101: top-1 accuracy in percent',
    methods={name: replace(method, change=ucf101) for name, method in HMDB51.methods.items()},
    splits=('seen', ),
    action_seen=('seen', ),
    data_config='configs/_base_/datasets/ucf101_16x1.py',
)
