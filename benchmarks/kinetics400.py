"""Kinetics-400 with its SCUBA and HAT test sets (DEVIAS Tables 3 and 8)."""
from dataclasses import replace
from pathlib import Path

from devias_mm.harness import Method, load_suite

UCF101 = load_suite(Path(__file__).with_name('ucf101.py'))


def on_kinetics(method: Method) -> Method:
    """The recipe for Kinetics-400 that goes with one for UCF-101."""
    return replace(method, config=method.config.replace('ucf101', 'kinetics400'),
                   pretrain=method.pretrain and on_kinetics(method.pretrain))


suite = replace(
    UCF101,
    name='kinetics400',
    title='Kinetics-400: action top-1, scene top-5 in percent',
    methods={**{name: on_kinetics(method) for name, method in UCF101.methods.items()},
             # on UCF-101 alone it starts from another training
             'devias': on_kinetics(replace(UCF101.methods['devias'], pretrain=None))},
    optional_splits=(*UCF101.optional_splits, 'mimetics'),
    data_config='configs/_base_/datasets/kinetics400.py',
    scene_label_command=UCF101.scene_label_command.replace('ucf101', 'kinetics400'),
)
