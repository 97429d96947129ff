"""Diving48 after Kinetics-400 (DEVIAS Tables 5 and 11)."""
from dataclasses import replace
from pathlib import Path

from devias_mm.harness import Suite, load_suite
from devias_mm.harness.changes import fine_tuned

KINETICS400 = load_suite(Path(__file__).with_name('kinetics400.py'))
DIVING48 = 'datasets/diving48.py'

methods = {}
for name in ('naive', 'be', 'fame', 'naive-scene'):
    methods[name] = fine_tuned(KINETICS400.methods[name], DIVING48)
# the mean of all tokens, or the features of action and scene side by side
for name in ('two-token', 'two-token-fame', 'devias'):
    encoder = KINETICS400.methods[name]
    mean = fine_tuned(encoder, DIVING48, fusion='gap')
    methods[f'{name}-gap'] = replace(mean, label=f'{encoder.label} (GAP)')
    both = fine_tuned(encoder, DIVING48)
    methods[name] = replace(both, label=f'{encoder.label} (concat.)')

suite = Suite(
    name='downstream_diving48',
    title='Kinetics-400 to Diving48: top-1 accuracy in percent',
    methods=methods,
    splits=('test', ),
    action_seen=('test', ),
    data_config='configs/_base_/datasets/diving48.py',
)
