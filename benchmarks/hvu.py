"""HVU, rearranged into seen and unseen combinations (DEVIAS Table 4)."""
from dataclasses import replace
from pathlib import Path

from devias_mm.evaluation.metrics import per_split, seen_unseen
from devias_mm.evaluation.reference import Reference
from devias_mm.harness import Data, Protocol, Suite, load_suite


def on_hvu(config: str) -> str:
    """The recipe for HVU that goes with one for UCF-101."""
    return config.replace('100e', '50e').replace('ucf101', 'hvu')


UCF101 = load_suite(Path(__file__).with_name('ucf101.py'))

suite = Suite(
    name='hvu',
    title='HVU: top-1 accuracy in percent',
    methods={name: replace(method, config=on_hvu(method.config),
                           # DEVIAS: on UCF-101 alone
                           pretrain='' if name == 'devias' else on_hvu(method.pretrain))
             for name, method in UCF101.methods.items()},
    protocol=Protocol(
        splits=('seen', 'unseen'),
        metrics=(
            *seen_unseen(action_seen=('seen', ), action_unseen=('unseen', ),
                         scene_seen=('seen', ), scene_unseen=('unseen', )),
            *per_split(('seen', 'unseen'))),
        rank_by=('hm', 'action_unseen', 'scene_unseen'),
        scatter={'Action': ('action_seen', 'action_unseen'),
                 'Scene': ('scene_seen', 'scene_unseen')},
        references=(Reference('devias_table04'), )),
    data=Data('configs/_base_/datasets/hvu.py'),
)
