"""Diving48 after Mini-Kinetics-200 (Choi et al. 2019, Table 1)."""
from dataclasses import replace
from pathlib import Path

from devias_mm.harness import load_suite
from devias_mm.harness.changes import on_dataset

HMDB51 = load_suite(Path(__file__).with_name('choi_transfer_hmdb51.py'))
diving48 = on_dataset('datasets/diving48_16x1.py')

suite = replace(
    HMDB51,
    name='choi_transfer_diving48',
    title='Mini-Kinetics-200 to Diving48: top-1 accuracy in percent',
    methods={name: replace(method, change=diving48) for name, method in HMDB51.methods.items()},
    data_config='configs/_base_/datasets/diving48_16x1.py',
)
