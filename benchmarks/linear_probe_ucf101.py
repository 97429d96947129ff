"""UCF-101 with probes for the task that a method was not trained for (DEVIAS Table 9)."""
from dataclasses import replace
from pathlib import Path

from devias_mm.harness import Method, load_suite
from devias_mm.harness.changes import linear_probe, probe_schedule

UCF101 = load_suite(Path(__file__).with_name('ucf101.py'))


def probed(name: str) -> Method:
    """Return the probe of a method of ucf101.py."""
    probe = linear_probe(UCF101.methods[name], scene_teacher=True)
    return replace(probe, change=[probe.change, probe_schedule(base_lr=1e-3, batch=24)])


PROBED = ('naive', 'naive-aug', 'be', 'fame', 'naive-scene')

suite = replace(
    UCF101,
    name='linear_probe_ucf101',
    title='UCF-101 with linear probes: action top-1, scene top-5 in percent',
    methods={**{name: probed(name) for name in PROBED}, 'devias': UCF101.methods['devias']},
)
