"""UCF-101 with linear probes for the task that a method was not trained for (DEVIAS Table 9)."""
from dataclasses import replace
from pathlib import Path

from devias_mm.evaluation.reference import Reference
from devias_mm.harness import Method, load_suite

UCF101 = load_suite(Path(__file__).with_name('ucf101.py'))


def probed(name: str, task: str) -> Method:
    """A method's frozen features and own predictions, and a probe for the other task."""
    method = UCF101.methods[name]
    config = f'configs/linear_probe/{task}-probe_vit-base-p16_8xb24-16x4x1-50e_ucf101-rgb.py'
    return replace(method, config=config, predicts=('action', 'scene'), pretrain=method.config)


suite = replace(
    UCF101,
    name='linear_probe_ucf101',
    title='UCF-101 with linear probes: action top-1, scene top-5 in percent',
    methods={
        **{name: probed(name, 'scene') for name in ('naive', 'naive-aug', 'be', 'fame')},
        'naive-scene': probed('naive-scene', 'action'),
        'devias': UCF101.methods['devias'],
    },
    protocol=replace(UCF101.protocol, references=(Reference('devias_table09'), )),
)
