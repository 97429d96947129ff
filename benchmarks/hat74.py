"""The models of the HAT paper (NeurIPS 2022, Tables 1 and 2), as MMAction2 1.x releases them.

The paper tested the 74 Kinetics-400 models of MMAction2 0.x. These are the models of
the same 13 architectures in the installed MMAction2 that have released weights; names,
configs and weights are those of its metafiles. Nothing is downloaded until a model is tested.

Of the 28 models that Tables 1 and 2 print, MMAction2 1.x does not release six: SlowFast
ResNet152+50, CSN ResNet50 without pre-training, TSN ResNet50 of IG-1B, and OmniSource's TSN
ResNet50, SlowOnly ResNet50 and ResNet101 (its one `omnisource` model saw Kinetics and ImageNet
alone). TSM MobileNetV2 has a config and no entry in the metafile: its weights have to lie in
`checkpoints/`, named after the config. Most weights are new trainings of the old recipes; those
of X3D and those that were converted from VMZ (`vmz_*`, CSN) are the old ones.

The splits are composed by HAT's own rule, of files in HAT's own layout (docs/test_sets.md). HAT
publishes no lists of its `same` splits: those that you make are tested by
`tools/test_bias.py --splits 'hat-same/*'`.
"""
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import yaml

from devias_mm.evaluation.metrics import per_split, ratios, seen_unseen, swap_metrics
from devias_mm.evaluation.reference import Reference
from devias_mm.harness import Data, Method, Protocol, load_suite

ZOO = 'mmaction::'
# not imported, which would take seconds
MMACTION = Path(find_spec('mmaction').origin).parent
ARCHITECTURES = ('tsn', 'i3d', 'r2plus1d', 'tsm', 'slowfast', 'slowonly', 'csn', 'tin', 'tpn',
                 'x3d', 'omnisource', 'tanet', 'timesformer')
KINETICS400 = load_suite(Path(__file__).with_name('kinetics400.py'))


def released(architecture: str) -> dict:
    """The RGB models of an architecture that were trained on Kinetics-400."""
    folder = MMACTION / '.mim' / 'configs' / 'recognition' / architecture
    if not (folder / 'metafile.yml').is_file():
        return {}
    models = yaml.safe_load((folder / 'metafile.yml').read_text())['Models']
    # by their names: the metafiles also ascribe models of Something-Something to Kinetics-400,
    # and leave a suffix out
    return {model['Name']: Method(
                f"{ZOO}{model['Config'].removeprefix('configs/').removesuffix('.py')}.py",
                model['Name'], 'NeurIPS 2022', predicts=('action', ),
                checkpoint=model['Weights'])
            for model in models
            if model.get('Weights') and model['Name'].endswith('kinetics400-rgb')}


# its entry in the metafile has the name of another model
MOBILENET = 'tsm_imagenet-pretrained-mobilenetv2_8xb16-1x1x8-100e_kinetics400-rgb'
HAT = tuple(split for split in KINETICS400.splits if split.startswith('hat-'))

SETS = KINETICS400.protocol.sets

SPLITS = ('seen', 'hat-scene-only', 'hat-human-only',
          *SETS['hat-random'], *SETS['hat-close'], *SETS['hat-far'])

suite = replace(
    KINETICS400,
    name='hat74',
    title='Kinetics-400 models of MMAction2 on HAT: top-1 accuracy in percent',
    methods={**{name: method for architecture in ARCHITECTURES
                for name, method in released(architecture).items()},
             MOBILENET: Method(f'{ZOO}recognition/tsm/{MOBILENET}.py', MOBILENET, 'NeurIPS 2022',
                               predicts=('action', ), checkpoint=f'checkpoints/{MOBILENET}.pth')},
    protocol=Protocol(
        splits=SPLITS,
        optional_splits=SETS['hat-same'],
        sets=SETS,
        metrics=(
            *seen_unseen(action_seen=('seen', ), action_unseen=('hat-random', )),
            *per_split((*SPLITS, *SETS['hat-same']), SETS),
            *swap_metrics(tuple(SETS)),
            *ratios(('seen', ), background_only='hat-scene-only', human_only='hat-human-only')),
        rank_by=('action_unseen', ),
        scatter={'Action': ('action_seen', 'action_unseen')},
        references=(Reference('hat_table01'), Reference('hat_table02'))),
    data=Data('configs/_base_/datasets/kinetics400_hat.py'),
)
