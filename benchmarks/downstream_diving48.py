"""Diving48 after Kinetics-400 (DEVIAS Tables 5 and 11).

The trainings on Kinetics-400 are those of ``kinetics400.py``, and serve all four data sets.
"""
from pathlib import Path

from devias_mm.harness import Method, Suite, load_suite

KINETICS400 = load_suite(Path(__file__).with_name('kinetics400.py'))


def transfer(config: str, start: str, label: str, paper: str = '') -> Method:
    """Fine-tuning by ``config`` after the training ``start`` on Kinetics-400."""
    return Method(f'configs/downstream/{config}_vit-base-p16_8xb12-16x4x1-50e_diving48-rgb.py',
                  label, paper, predicts=('action', ),
                  pretrain=KINETICS400.methods[start])


suite = Suite(
    name='downstream_diving48',
    title='Kinetics-400 to Diving48: top-1 accuracy in percent',
    methods={
        'naive': transfer('naive-action', 'naive', 'Naive Action ViT'),
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
    splits=('test', ),
    action_seen=('test', ),
    data_config='configs/_base_/datasets/diving48.py',
)
