"""Kinetics-400 with linear probes for the untrained task (DEVIAS Table 10)."""
from dataclasses import replace
from pathlib import Path

from devias_mm.evaluation.reference import Reference
from devias_mm.harness import load_suite

UCF101 = load_suite(Path(__file__).with_name('linear_probe_ucf101.py'))
KINETICS400 = load_suite(Path(__file__).with_name('kinetics400.py'))


def on_kinetics(config: str) -> str:
    """The recipe for Kinetics-400 that goes with one for UCF-101."""
    return config.replace('8xb24', '8xb16').replace('ucf101', 'kinetics400')


suite = replace(
    KINETICS400,
    name='linear_probe_kinetics400',
    title='Kinetics-400 with linear probes: action top-1, scene top-5 in percent',
    methods={name: KINETICS400.methods[name] if name == 'devias' else replace(
                 method, config=on_kinetics(method.config), pretrain=on_kinetics(method.pretrain))
             for name, method in UCF101.methods.items()},
    protocol=replace(KINETICS400.protocol, references=(Reference('devias_table10'), )),
)
