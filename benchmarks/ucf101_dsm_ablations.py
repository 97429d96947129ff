"""DSM without its parts: UCF-101 after Kinetics-400 (DSM Table 4), the first split."""
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Callable

from devias_mm.evaluation.reference import Reference
from devias_mm.harness import Method, load_suite

if TYPE_CHECKING:
    from mmengine.config import Config

UCF101 = load_suite(Path(__file__).with_name('ucf101_pretraining.py'))
MOCO, DSM = (UCF101.methods[f'{name}-i3d-r50'] for name in ('moco', 'dsm'))


def warp(cfg: 'Config') -> None:
    """Warp the positive, and take no negative of the same video."""
    views = cfg.model.data_preprocessor.views
    cfg.merge_from_dict(dict(model=dict(type='MoCo', data_preprocessor=dict(views=views[:2]))))
    pipeline = cfg.moco_pipeline
    positive = pipeline[1].views[1]
    pipeline[1].views[1] = positive[:2]  # it gets no basic augmentation
    cfg.train_dataloader.dataset.pipeline = pipeline


def disturb(cfg: 'Config') -> None:
    """Disturb the negative's motion; the positive has basic augmentation, as MoCo's."""
    cfg.model.data_preprocessor.views[1] = []
    views = cfg.train_dataloader.dataset.pipeline[1].views
    views[1] = views[0]


def warp_flow(cfg: 'Config') -> None:
    """Scale the negative's motion, without a shift in time."""
    cfg.train_dataloader.dataset.pipeline[0].sampler.shift_range = (0, 0)


def warp_shift(cfg: 'Config') -> None:
    """Shift the negative in time; its motion is not scaled."""
    cfg.model.data_preprocessor.views[2] = []
    cfg.train_dataloader.dataset.pipeline.pop(2)  # the flow


def row(label: str, change: Callable[['Config'], None]) -> Method:
    """Return the fine-tuning after a pre-training by DSM with a change."""
    pretrain = replace(DSM.pretrain, label=f'{label}, pre-training', change=change)
    return replace(DSM, label=label, pretrain=pretrain)


suite = replace(
    UCF101,
    name='ucf101_dsm_ablations',
    title='DSM without its parts, Kinetics-400 to UCF-101: top-1 accuracy in percent',
    # positive / negative
    methods={
        'moco': replace(MOCO, label='MoCo'),
        'warp': row('S-warping / -', warp),
        'disturb': row('- / M-disturb', disturb),
        'warp-flow': row('S-warping / Scaling-Of', warp_flow),
        'warp-shift': row('S-warping / T-Shift', warp_shift),
        'dsm': replace(DSM, label='S-warping / M-disturb (DSM)'),
    },
    # what Table 4 calls our rows
    protocol=replace(UCF101.protocol, references=(
        Reference('dsm_table04', columns={'ucf101': 'action_seen'}, rows={
            'moco': dict(label='MoCo'),
            'warp': dict(positive='spatial warping', negative=''),
            'disturb': dict(positive='', negative='motion disturbance'),
            'warp-flow': dict(negative='scaling optical flow'),
            'warp-shift': dict(negative='temporal shift'),
            'dsm': dict(positive='spatial warping', negative='motion disturbance')}), )),
)
