"""Choi et al. 2019 on the embedded benchmark: either loss alone (its Table 5), and both at once."""
from dataclasses import replace
from pathlib import Path

from devias_mm.harness import load_suite

PUPPETS = load_suite(Path(__file__).with_name('puppets.py'))
BOTH = PUPPETS.methods['scene-adversarial']

suite = replace(
    PUPPETS,
    name='puppets_scene_adversarial',
    title='Losses of Choi et al. on Puppets (demo preset): top-1 accuracy in percent',
    methods={
        'alternate': BOTH,
        # both losses on every batch, in one step
        'joint': replace(BOTH, label='Choi et al., joint',
                         change=dict(model=dict(optimization='joint'))),
        'adversarial': replace(BOTH, label='scene adversarial',
                               change=dict(model=dict(losses=('adversarial', )))),
        'human-mask': replace(BOTH, label='human mask confusion',
                              change=dict(model=dict(losses=('confusion', )))),
    },
    seeds=(0, ),
)
