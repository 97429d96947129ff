"""Kinetics-400 with probes for the task that a method was not trained for (DEVIAS Table 10)."""
from dataclasses import replace
from pathlib import Path

from devias_mm.harness import Method, load_suite
from devias_mm.harness.changes import linear_probe, probe_schedule

KINETICS400 = load_suite(Path(__file__).with_name('kinetics400.py'))


def probed(name: str) -> Method:
    """Return the probe of a method of kinetics400.py."""
    probe = linear_probe(KINETICS400.methods[name], scene_teacher=True)
    return replace(probe, change=[probe.change, probe_schedule(base_lr=1e-3, batch=16)])


PROBED = ('naive', 'naive-aug', 'be', 'fame', 'naive-scene')

suite = replace(
    KINETICS400,
    name='linear_probe_kinetics400',
    title='Kinetics-400 with linear probes: action top-1, scene top-5 in percent',
    methods={**{name: probed(name) for name in PROBED}, 'devias': KINETICS400.methods['devias']},
)
