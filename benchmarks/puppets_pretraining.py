"""Self-supervised pre-training on the embedded benchmark, fine-tuned with all labels (DSM)."""
from dataclasses import replace
from pathlib import Path

from devias_mm.evaluation.metrics import per_split, ratios, seen_unseen, swap_metrics
from devias_mm.harness import Method, load_suite

PUPPETS = load_suite(Path(__file__).with_name('puppets.py'))


def pretrained(name: str, label: str, paper: str) -> Method:
    """Fine-tuning after a pre-training with the same seed."""
    return Method(
        f'configs/dsm/{name}-finetune_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py', label, paper,
        predicts=('action', ),
        pretrain=f'configs/dsm/{name}-pretrain_conv-tokens_1xb16-8x2x1-10e_puppets-rgb.py')


suite = replace(
    PUPPETS,
    name='puppets_pretraining',
    title='Pre-training on Puppets (demo preset): top-1 accuracy in percent',
    methods={
        'scratch': replace(PUPPETS.methods['naive'], label='random weights'),
        'moco': pretrained('moco', 'MoCo', 'CVPR 2020'),
        'dsm': pretrained('dsm', 'DSM', 'AAAI 2021'),
        'dsm-triplet': pretrained('dsm-triplet', 'DSM (Triplet)', 'AAAI 2021'),
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
