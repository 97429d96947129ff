"""The embedded benchmark, 16 clips a split: for `tools/test_bias.py` with any model on a CPU.

The two methods are there to try the commands; 32 training clips teach them nothing.
"""
from dataclasses import replace
from pathlib import Path

from devias_mm.harness import load_suite

PUPPETS = load_suite(Path(__file__).with_name('puppets.py'))
ROOT = 'data/puppets/tiny'
DATA = {f'{loader}_dataloader': dict(dataset=dict(data_root=ROOT))
        for loader in ('train', 'val', 'test')}

suite = replace(
    PUPPETS,
    name='puppets_tiny',
    title='Puppets (tiny preset, 16 clips a split): top-1 accuracy in percent',
    methods={name: replace(PUPPETS.methods[name], change=DATA) for name in ('naive', 'devias')},
    seeds=(0, ),
    data_config='configs/_base_/datasets/puppets_tiny.py',
    data_manifest=f'{ROOT}/manifest.json',
    data_command='python tools/data/make_puppets.py --out data/puppets --preset tiny',
)
