"""Self-supervised pre-training on the embedded benchmark, fine-tuned with all labels (DSM, BE)."""
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from devias_mm.evaluation.metrics import per_split, ratios, seen_unseen, swap_metrics
from devias_mm.harness import Method, load_suite

if TYPE_CHECKING:
    from mmengine.config import Config

PUPPETS = load_suite(Path(__file__).with_name('puppets.py'))
UCF101 = load_suite(Path(__file__).with_name('ucf101_pretraining.py'))
NAIVE = PUPPETS.methods['naive']
PRETRAIN = 'configs/dsm/dsm-pretrain_conv-tokens_1xb16-8x2x1-10e_puppets-rgb.py'
BE = 'configs/be/be-pretrain_conv-tokens_1xb16-8x2x1-10e_puppets-rgb.py'


def triplet(cfg: 'Config') -> None:
    """Compare with the negative of the same video alone; there is no bank of others."""
    cfg.model.type = 'DSMTriplet'
    del cfg.model.queue_size, cfg.model.temperature


def be_triplet(cfg: 'Config') -> None:
    """Compare with triplet losses; there is no bank."""
    cfg.model.type = 'BETriplet'
    del cfg.model.queue_size


def pretrained(label: str, paper: str, change, config: str = PRETRAIN) -> Method:
    """Return the fine-tuning after a pre-training with the same seed."""
    pretrain = Method(config, f'{label}, pre-training', paper, change=change)
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
        'be': pretrained('BE, without labels', 'CVPR 2021', dict(), BE),
        'be-triplet': pretrained('BE (Triplet)', 'CVPR 2021', be_triplet, BE),
    },
    seeds=(0, ),
    # no method predicts scenes
    protocol=replace(
        PUPPETS.protocol,
        metrics=(
            *seen_unseen(action_seen=('seen', ), action_unseen=('unseen', 'unseen-texture')),
            *per_split(PUPPETS.splits),
            *swap_metrics(('unseen', )),
            *ratios(('seen', ), background_only='scene-only', human_only='human-only')),
        rank_by=('action_unseen', ),
        scatter={'Action': ('action_seen', 'action_unseen')}),
)
