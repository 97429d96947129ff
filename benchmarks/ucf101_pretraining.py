"""UCF-101 after pre-training without labels (DSM Table 1), its first split."""
from devias_mm.evaluation.metrics import per_split, seen_unseen
from devias_mm.evaluation.reference import Reference
from devias_mm.harness import Data, Method, Protocol, Suite

# encoder: label, what it is pre-trained on
ENCODERS = {'c3d': ('C3D', 'ucf101'), 'i3d-r50': ('I3D', 'kinetics400'),
            'r3d-r34': ('3D-ResNet-34', 'kinetics400')}
METHODS = {'moco': ('MoCo', 'CVPR 2020'), 'dsm-triplet': ('DSM (Triplet)', 'AAAI 2021'),
           'dsm': ('DSM', 'AAAI 2021')}


def rows(encoder: str) -> dict:
    """Fine-tuning of one encoder from random weights and after each pre-training."""
    shown, data = ENCODERS[encoder]
    tune = f'{encoder}_16xb8-16x4x1-45e_ucf101-rgb.py'
    return {
        f'scratch-{encoder}': Method(f'configs/dsm/scratch_{tune}', f'random weights, {shown}',
                                     'AAAI 2021', predicts=('action', )),
        **{f'{name}-{encoder}': Method(
            f'configs/dsm/{name}-finetune_{tune}', f'{label}, {shown}', paper,
            predicts=('action', ),
            pretrain=f'configs/dsm/{name}-pretrain_{encoder}_16xb8-16x4x1-200e_{data}-rgb.py')
            for name, (label, paper) in METHODS.items()},
    }


# what Table 1 calls our rows: random weights are printed of one encoder alone
PRINTED = {'c3d': 'C3D', 'i3d-r50': 'I3D', 'r3d-r34': '3D-ResNet34'}
SCRATCH = {'scratch-i3d-r50': dict(label='Random init')}
MOCO = {f'moco-{encoder}': dict(label='MoCo', backbone=PRINTED[encoder])
        for encoder in ('c3d', 'i3d-r50')}
TRIPLET = {f'dsm-triplet-{encoder}': dict(label='DSM (Triplet)', backbone=printed)
           for encoder, printed in PRINTED.items()}
DSM = {f'dsm-{encoder}': dict(label='DSM', backbone=printed)
       for encoder, printed in PRINTED.items()}

suite = Suite(
    name='ucf101_pretraining',
    title='Pre-training without labels to UCF-101: top-1 accuracy in percent',
    methods={name: method for encoder in ENCODERS for name, method in rows(encoder).items()},
    protocol=Protocol(
        splits=('seen', ),
        metrics=(*seen_unseen(action_seen=('seen', )), *per_split(('seen', ))),
        rank_by=('action_seen', ),
        references=(Reference('dsm_table01', columns={'ucf101': 'action_seen'},
                              rows={**SCRATCH, **MOCO, **TRIPLET, **DSM}), )),
    data=Data('configs/_base_/datasets/ucf101.py'),
)
