"""Diving48 after Kinetics-400 (DEVIAS Tables 5 and 11)."""
from dataclasses import replace
from pathlib import Path

from devias_mm.evaluation.metrics import per_split, seen_unseen
from devias_mm.evaluation.reference import Reference
from devias_mm.harness import Data, Protocol, Suite, load_suite
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

# what Table 11 calls our rows
ROWS = {'naive': dict(method='naive'), 'be': dict(method='be'), 'fame': dict(method='fame'),
        'naive-scene': dict(method='naive-scene')}
for name in ('two-token', 'two-token-fame', 'devias'):
    ROWS[f'{name}-gap'] = dict(method=name, tokens='gap')
    ROWS[name] = dict(method=name, tokens='concat')

suite = Suite(
    name='downstream_diving48',
    title='Kinetics-400 to Diving48: top-1 accuracy in percent',
    methods=methods,
    protocol=Protocol(
        splits=('test', ),
        metrics=(*seen_unseen(action_seen=('test', )), *per_split(('test', ))),
        rank_by=('action_seen', ),
        references=(Reference('devias_table11', columns={'diving48': 'action_seen'}, rows=ROWS), )),
    data=Data('configs/_base_/datasets/diving48.py'),
)
