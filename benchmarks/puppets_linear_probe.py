"""Linear probes on the embedded benchmark, for the task that a method was not trained for."""
from dataclasses import replace
from pathlib import Path

from devias_mm.harness import load_suite
from devias_mm.harness.changes import linear_probe

PUPPETS = load_suite(Path(__file__).with_name('puppets.py'))
PROBED = ('naive', 'be', 'fame', 'naive-scene')

suite = replace(
    PUPPETS,
    name='puppets_linear_probe',
    title='Puppets (demo preset) with linear probes: top-1 accuracy in percent',
    methods={**{name: linear_probe(PUPPETS.methods[name]) for name in PROBED},
             'devias': PUPPETS.methods['devias']},
    seeds=(0, ),
)
