"""UCF-101 after pre-training without labels (DSM Table 1; BE), its first split."""
from dataclasses import replace
from typing import TYPE_CHECKING

from devias_mm.evaluation.metrics import per_split, seen_unseen
from devias_mm.evaluation.reference import Reference
from devias_mm.harness import Data, Method, Protocol, Suite
from devias_mm.harness.changes import LOADERS
from devias_mm.harness.recipes import fragment

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


def released(cfg: 'Config') -> None:
    """Set what DSM's published code sets otherwise than the paper."""
    reader, contrast, *rest = cfg.train_dataloader.dataset.pipeline
    reader.sampler.shift_range = (4, None)  # any other start in the video
    side = contrast.views[0][1].scale[0]
    crop = [dict(type='Resize', scale=(-1, side * 256 // 224)), dict(type='RandomCrop', size=side)]
    contrast.views = [crop, crop, crop]
    cfg.merge_from_dict(fragment('methods/dsm_released.py').to_dict())


# the published constants of the loss and of the bank, which DSM (Triplet) does not have
BANK = dict(model=dict(bank='positive', queue_size=3569, momentum=0.999, temperature=0.07))
TRIPLET_LOSS = dict(model=dict(type='DSMTriplet'))
BOTH_TRIPLETS = dict(model=dict(type='DSMTriplet', inter_video=True))


def fine_tune_be(cfg: 'Config') -> None:
    """Fine-tune as BE's published code does.

    Its interval of frames is not known: every frame, so that 64 span what the pre-training saw.
    The batch and the weight decay are those of the pre-training.
    """
    for name in LOADERS:
        cfg[name].dataset.pipeline[0].sampler.update(clip_len=64, frame_interval=1)
    cfg.merge_from_dict(fragment('schedules/be_finetune_45e.py').to_dict())
    cfg.merge_from_dict(dict(model=dict(dropout=0.5, backbone=dict(input_size=(64, 224, 224)))))


# row: the self-supervised pre-training by BE of an I3D
BE = {
    'i3d-r50': 'configs/be/be-pretrain_i3d-r50_8xb8-16x4x1-50e_kinetics400-rgb.py',
    'i3d-r50-ucf101': 'configs/be/be-pretrain_i3d-r50_8xb8-16x4x1-200e_ucf101-rgb.py',
}


def be_triplet(cfg: 'Config') -> None:
    """Compare with triplet losses; there is no bank."""
    cfg.model.type = 'BETriplet'
    cfg.model.pop('queue_size', None)


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
            ('dsm-triplet', 'DSM (Triplet)', 'AAAI 2021', TRIPLET_LOSS),
            ('dsm', 'DSM', 'AAAI 2021', dict()),
            ('dsm-triplet-released', 'DSM (Triplet), released', 'AAAI 2021',
             [released, BOTH_TRIPLETS]),
            ('dsm-released', 'DSM, released', 'AAAI 2021', [released, BANK])):
        methods[f'{name}-{row}'] = replace(
            scratch, label=f'{label}, {shown}', paper=paper,
            pretrain=Method(config, f'{label}, pre-training', paper, change=change))
for row, config in BE.items():
    shown = 'I3D' if row == 'i3d-r50' else 'I3D of UCF-101'
    for name, label, change in (('be', 'BE', dict()), ('be-triplet', 'BE (Triplet)', be_triplet)):
        methods[f'{name}-{row}'] = replace(
            methods['scratch-i3d-r50'], label=f'{label}, {shown}', paper='CVPR 2021',
            change=fine_tune_be,
            pretrain=Method(config, f'{label}, pre-training', 'CVPR 2021', change=change))

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
    methods=methods,
    protocol=Protocol(
        splits=('seen', ),
        metrics=(*seen_unseen(action_seen=('seen', )), *per_split(('seen', ))),
        rank_by=('action_seen', ),
        references=(Reference('dsm_table01', columns={'ucf101': 'action_seen'},
                              rows={**SCRATCH, **MOCO, **TRIPLET, **DSM}), )),
    data=Data('configs/_base_/datasets/ucf101.py'),
)
