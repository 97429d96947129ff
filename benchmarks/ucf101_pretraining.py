"""UCF-101 after pre-training without labels (DSM Table 1), its first split."""
from dataclasses import replace
from typing import TYPE_CHECKING

from devias_mm.harness import Method, Suite

if TYPE_CHECKING:
    from mmengine.config import Config

# encoder: its name, the fine-tuning
FINETUNE = {
    'c3d': ('C3D', 'configs/dsm/scratch_c3d_16xb8-16x4x1-45e_ucf101-rgb.py'),
    'i3d-r50': ('I3D', 'configs/dsm/scratch_i3d-r50_16xb8-16x4x1-45e_ucf101-rgb.py'),
    'r3d-r34': ('3D-ResNet-34', 'configs/dsm/scratch_r3d-r34_16xb8-16x4x1-45e_ucf101-rgb.py'),
}
# row: encoder, the pre-training by DSM
PRETRAIN = {
    'c3d': ('c3d', 'configs/dsm/dsm-pretrain_c3d_16xb8-16x4x1-200e_ucf101-rgb.py'),
    'i3d-r50': ('i3d-r50', 'configs/dsm/dsm-pretrain_i3d-r50_16xb8-16x4x1-200e_kinetics400-rgb.py'),
    # Tables 2 and 3 search with it; Table 1 does not have it
    'i3d-r50-ucf101': ('i3d-r50',
                       'configs/dsm/dsm-pretrain_i3d-r50_16xb8-16x4x1-200e_ucf101-rgb.py'),
    'r3d-r34': ('r3d-r34', 'configs/dsm/dsm-pretrain_r3d-r34_16xb8-16x4x1-200e_kinetics400-rgb.py'),
}


def moco(cfg: 'Config') -> None:
    """Contrast two plainly augmented views instead of DSM's three."""
    cfg.train_dataloader.dataset.pipeline = cfg.moco_pipeline
    cfg.merge_from_dict(dict(model=dict(type='MoCo', data_preprocessor=dict(views=[[], []]))))


methods = {}
for encoder, (shown, config) in FINETUNE.items():
    methods[f'scratch-{encoder}'] = Method(
        config, f'random weights, {shown}', 'AAAI 2021', predicts=('action', ))
for row, (encoder, config) in PRETRAIN.items():
    scratch = methods[f'scratch-{encoder}']
    shown = FINETUNE[encoder][0]
    if row == 'i3d-r50-ucf101':
        shown = 'I3D of UCF-101'
    for name, label, paper, change in (
            ('moco', 'MoCo', 'CVPR 2020', moco),
            ('dsm-triplet', 'DSM (Triplet)', 'AAAI 2021', dict(model=dict(type='DSMTriplet'))),
            ('dsm', 'DSM', 'AAAI 2021', dict())):
        methods[f'{name}-{row}'] = replace(
            scratch, label=f'{label}, {shown}', paper=paper,
            pretrain=Method(config, f'{label}, pre-training', paper, change=change))

suite = Suite(
    name='ucf101_pretraining',
    title='Pre-training without labels to UCF-101: top-1 accuracy in percent',
    methods=methods,
    splits=('seen', ),
    action_seen=('seen', ),
    data_config='configs/_base_/datasets/ucf101.py',
)
