"""HVU, rearranged into seen and unseen combinations (DEVIAS Table 4)."""
from dataclasses import replace
from pathlib import Path

from devias_mm.harness import Method, Suite, load_suite


def on_hvu(method: Method) -> Method:
    """The recipe for HVU that goes with one for UCF-101."""
    config = method.config.replace('100e', '50e').replace('ucf101', 'hvu')
    return replace(method, config=config, pretrain=method.pretrain and on_hvu(method.pretrain))


UCF101 = load_suite(Path(__file__).with_name('ucf101.py'))

suite = Suite(
    name='hvu',
    title='HVU: top-1 accuracy in percent',
    methods={**{name: on_hvu(method) for name, method in UCF101.methods.items()},
             # on UCF-101 alone it starts from another training
             'devias': on_hvu(replace(UCF101.methods['devias'], pretrain=None))},
    splits=('seen', 'unseen'),
    action_seen=('seen', ),
    action_unseen=('unseen', ),
    scene_seen=('seen', ),
    scene_unseen=('unseen', ),
    data_config='configs/_base_/datasets/hvu.py',
)
