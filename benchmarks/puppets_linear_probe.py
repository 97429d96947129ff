"""Linear probes on the embedded benchmark, for the task that a method was not trained for."""
from dataclasses import replace
from pathlib import Path

from devias_mm.harness import Method, load_suite

PUPPETS = load_suite(Path(__file__).with_name('puppets.py'))


def probed(name: str, task: str) -> Method:
    """A method's frozen features and own predictions, and a probe for the other task."""
    method = PUPPETS.methods[name]
    config = f'configs/linear_probe/{task}-probe_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py'
    return replace(method, config=config, predicts=('action', 'scene'), pretrain=method)


suite = replace(
    PUPPETS,
    name='puppets_linear_probe',
    title='Puppets (demo preset) with linear probes: top-1 accuracy in percent',
    methods={
        **{name: probed(name, 'scene') for name in ('naive', 'be', 'fame')},
        'naive-scene': probed('naive-scene', 'action'),
        'devias': PUPPETS.methods['devias'],
    },
    seeds=(0, ),
)
