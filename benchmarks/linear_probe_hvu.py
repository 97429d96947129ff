"""HVU with linear probes for the task that a method was not trained for.

The recipe is that of DEVIAS Table 21; the paper prints no results of it.
"""
from dataclasses import replace
from pathlib import Path

from devias_mm.harness import Method, load_suite
from devias_mm.harness.changes import linear_probe, probe_schedule

HVU = load_suite(Path(__file__).with_name('hvu.py'))


def probed(name: str) -> Method:
    """Return the probe of a method of hvu.py."""
    probe = linear_probe(HVU.methods[name])
    return replace(probe, change=[probe.change, probe_schedule(base_lr=5e-4, batch=16)])


PROBED = ('naive', 'naive-aug', 'be', 'fame', 'naive-scene')

suite = replace(
    HVU,
    name='linear_probe_hvu',
    title='HVU with linear probes: top-1 accuracy in percent',
    methods={**{name: probed(name) for name in PROBED}, 'devias': HVU.methods['devias']},
    # the paper prints no results of these probes
    protocol=replace(HVU.protocol, references=()),
)
