"""Diving48 after Kinetics-400 (DEVIAS Tables 5 and 11).

The trainings on Kinetics-400 serve all four data sets and are done before, each with its config and
``tools/dist_train.sh``: a method starts from the last checkpoint in ``work_dirs``.
"""
from devias_mm.evaluation.metrics import per_split, seen_unseen
from devias_mm.evaluation.reference import Reference
from devias_mm.harness import Data, Method, Protocol, Suite


def transfer(config: str, start: str, label: str, paper: str = '') -> Method:
    """Fine-tuning by ``config`` after the training ``start``."""
    stem = f'{start}_vit-base-p16_8xb12-16x4x1-100e_kinetics400-rgb'
    return Method(f'configs/downstream/{config}_vit-base-p16_8xb12-16x4x1-50e_diving48-rgb.py',
                  label, paper, predicts=('action', ),
                  overrides=dict(load_from=f'work_dirs/{stem}/epoch_100.pth'))


# what Table 11 calls our rows
ROWS = {'naive': dict(method='naive'), 'be': dict(method='be'), 'fame': dict(method='fame'),
        'naive-scene': dict(method='naive-scene')}
for name in ('two-token', 'two-token-fame', 'devias'):
    ROWS[f'{name}-gap'] = dict(method=name, tokens='gap')
    ROWS[name] = dict(method=name, tokens='concat')

suite = Suite(
    name='downstream_diving48',
    title='Kinetics-400 to Diving48: top-1 accuracy in percent',
    methods={
        'naive': transfer('naive-action', 'naive-action', 'Naive Action ViT'),
        'be': transfer('naive-action', 'be', 'BE', 'CVPR 2021'),
        'fame': transfer('naive-action', 'fame', 'FAME', 'CVPR 2022'),
        'naive-scene': transfer('naive-scene', 'naive-scene', 'Naive Scene ViT'),
        'two-token-gap': transfer('two-token-gap', 'two-token', 'Two-Token (GAP)', 'ECCV 2024'),
        'two-token': transfer('two-token', 'two-token', 'Two-Token (concat.)', 'ECCV 2024'),
        'two-token-fame-gap': transfer('two-token-gap', 'two-token-fame',
                                       'Two-Token w/ FAME (GAP)', 'ECCV 2024'),
        'two-token-fame': transfer('two-token', 'two-token-fame', 'Two-Token w/ FAME (concat.)',
                                   'ECCV 2024'),
        'devias-gap': transfer('devias-gap', 'devias', 'DEVIAS (GAP)', 'ECCV 2024'),
        'devias': transfer('devias', 'devias', 'DEVIAS (concat.)', 'ECCV 2024'),
    },
    protocol=Protocol(
        splits=('test', ),
        metrics=(*seen_unseen(action_seen=('test', )), *per_split(('test', ))),
        rank_by=('action_seen', ),
        references=(Reference('devias_table11', columns={'diving48': 'action_seen'}, rows=ROWS), )),
    data=Data('configs/_base_/datasets/diving48.py'),
)
