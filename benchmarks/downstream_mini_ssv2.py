"""Something-Something-V2 (88 classes) after Kinetics-400 (DEVIAS Tables 5 and 11)."""
from dataclasses import replace
from pathlib import Path

from devias_mm.harness import Data, load_suite

DIVING48 = load_suite(Path(__file__).with_name('downstream_diving48.py'))
PRINTED = replace(DIVING48.protocol.references[0], columns={'mini_ssv2': 'action_seen'})

suite = replace(
    DIVING48,
    name='downstream_mini_ssv2',
    title='Kinetics-400 to Something-Something-V2 (88 classes): top-1 accuracy in percent',
    methods={name: replace(method, config=method.config.replace('diving48', 'mini-ssv2'))
             for name, method in DIVING48.methods.items()},
    protocol=replace(DIVING48.protocol, references=(PRINTED, )),
    data=Data('configs/_base_/datasets/mini_ssv2.py'),
)
