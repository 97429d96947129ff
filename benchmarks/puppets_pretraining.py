"""Self-supervised pre-training on the embedded benchmark, fine-tuned with all labels (DSM)."""
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from devias_mm.harness import Method, load_suite

if TYPE_CHECKING:
    from mmengine.config import Config

PUPPETS = load_suite(Path(__file__).with_name('puppets.py'))
UCF101 = load_suite(Path(__file__).with_name('ucf101_pretraining.py'))
NAIVE = PUPPETS.methods['naive']
PRETRAIN = 'configs/dsm/dsm-pretrain_conv-tokens_1xb16-8x2x1-10e_puppets-rgb.py'


def triplet(cfg: 'Config') -> None:
    """Compare with the negative of the same video alone; there is no bank of others."""
    cfg.model.type = 'DSMTriplet'
    del cfg.model.queue_size, cfg.model.temperature


def pretrained(label: str, paper: str, change) -> Method:
    """Return the fine-tuning after a pre-training with the same seed."""
    pretrain = Method(PRETRAIN, f'{label}, pre-training', paper, change=change)
    return replace(NAIVE, label=label, paper=paper, pretrain=pretrain)


moco = UCF101.methods['moco-c3d'].pretrain.change

suite = replace(
    PUPPETS,
    name='puppets_pretraining',
    title='Pre-training on Puppets (demo preset): top-1 accuracy in percent',
    methods={
        'scratch': replace(NAIVE, label='random weights'),
        'moco': pretrained('MoCo', 'CVPR 2020', moco),
        'dsm': pretrained('DSM', 'AAAI 2021', dict()),
        'dsm-triplet': pretrained('DSM (Triplet)', 'AAAI 2021', triplet),
    },
    seeds=(0, ),
    scene_seen=(),
    scene_unseen=(),
)
