"""DEVIAS on the embedded benchmark: its recipe there, the defaults of the paper, and these without
their parts (Tables 6 a, b, h)."""
from dataclasses import replace
from pathlib import Path

from devias_mm.harness import Method, load_suite

PUPPETS = load_suite(Path(__file__).with_name('puppets.py'))


def variant(name: str, label: str) -> Method:
    """DEVIAS with other switches."""
    return Method(f'configs/devias/devias-{name}_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py',
                  label, 'ECCV 2024')


PARTS = {'no-slots': 'w/o disentangling encoder', 'no-amd': 'w/o mask decoder and guidance',
         'keys-softmax': 'softmax over keys'}
suite = replace(
    PUPPETS,
    name='puppets_devias',
    title='Ablations of DEVIAS on Puppets (demo preset): top-1 accuracy in percent',
    methods={
        'devias': PUPPETS.methods['devias'],
        'paper': variant('paper', 'paper defaults'),
        **{f'paper-{name}': variant(f'paper-{name}', f'paper defaults, {label}')
           for name, label in PARTS.items()},
    },
)
