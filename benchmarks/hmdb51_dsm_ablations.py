"""DSM without its parts: HMDB-51 after Kinetics-400 (DSM Table 4), the first split."""
from dataclasses import replace
from pathlib import Path

from devias_mm.harness import load_suite

ABLATIONS = load_suite(Path(__file__).with_name('ucf101_dsm_ablations.py'))
HMDB51 = load_suite(Path(__file__).with_name('hmdb51_pretraining.py'))
PRINTED = replace(ABLATIONS.protocol.references[0], columns={'hmdb51': 'action_seen'})
# the fine-tuning is that of any I3D on HMDB-51
hmdb51 = HMDB51.methods['dsm-i3d-r50'].change

suite = replace(
    HMDB51,
    name='hmdb51_dsm_ablations',
    title='DSM without its parts, Kinetics-400 to HMDB-51: top-1 accuracy in percent',
    methods={name: replace(method, change=hmdb51)
             for name, method in ABLATIONS.methods.items()},
    protocol=replace(HMDB51.protocol, references=(PRINTED, )),
)
