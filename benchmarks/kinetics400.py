"""Kinetics-400 with its SCUBA and HAT test sets (DEVIAS Tables 3 and 8)."""
from dataclasses import replace
from pathlib import Path

from devias_mm.evaluation.metrics import per_split
from devias_mm.evaluation.reference import Reference
from devias_mm.harness import Data, load_suite

UCF101 = load_suite(Path(__file__).with_name('ucf101.py'))

suite = replace(
    UCF101,
    name='kinetics400',
    title='Kinetics-400: action top-1, scene top-5 in percent',
    methods={name: replace(method, config=method.config.replace('ucf101', 'kinetics400'),
                           # DEVIAS: on UCF-101 alone
                           pretrain='' if name == 'devias' else
                           method.pretrain.replace('ucf101', 'kinetics400'))
             for name, method in UCF101.methods.items()},
    protocol=replace(
        UCF101.protocol,
        optional_splits=(*UCF101.protocol.optional_splits, 'mimetics'),
        metrics=(*UCF101.protocol.metrics, *per_split(('mimetics', ))),
        references=(Reference('devias_table03'), Reference('devias_table08'))),
    data=Data(
        config='configs/_base_/datasets/kinetics400.py',
        scene_label_command=UCF101.data.scene_label_command.replace('ucf101', 'kinetics400')),
)
