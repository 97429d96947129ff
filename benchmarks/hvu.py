"""HVU, rearranged into seen and unseen combinations (DEVIAS Table 4)."""
from dataclasses import replace
from pathlib import Path

from devias_mm.harness import Suite, load_suite

UCF101 = load_suite(Path(__file__).with_name('ucf101.py'))

suite = Suite(
    name='hvu',
    title='HVU: top-1 accuracy in percent',
    methods={name: replace(UCF101.methods[name], pretrain='',
                           config=UCF101.methods[name].config.replace('100e_ucf101', '50e_hvu'))
             for name in ('naive', 'fame', 'naive-scene', 'one-token', 'two-token',
                          'two-token-fame', 'devias')},
    splits=('seen', 'unseen'),
    action_seen=('seen', ),
    action_unseen=('unseen', ),
    scene_seen=('seen', ),
    scene_unseen=('unseen', ),
    data_config='configs/_base_/datasets/hvu.py',
)
