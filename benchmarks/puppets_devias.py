"""DEVIAS on the embedded benchmark against itself without its parts (Tables 6 a, b, h) and with
the published code's cosine term."""
from dataclasses import replace
from pathlib import Path

from devias_mm.harness import Method, load_suite

PUPPETS = load_suite(Path(__file__).with_name('puppets.py'))


def ablation(name: str, label: str) -> Method:
    """DEVIAS with one switch changed."""
    return Method(f'configs/devias/devias-{name}_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py',
                  label, 'ECCV 2024')


suite = replace(
    PUPPETS,
    name='puppets_devias',
    title='Ablations of DEVIAS on Puppets (demo preset): top-1 accuracy in percent',
    methods={
        'devias': PUPPETS.methods['devias'],
        'no-slots': ablation('no-slots', 'w/o disentangling encoder'),
        'no-amd': ablation('no-amd', 'w/o mask decoder and guidance'),
        'keys-softmax': ablation('keys-softmax', 'softmax over keys'),
        'signed-cosine': ablation('signed-cosine', 'signed cosine (published code)'),
    },
)
