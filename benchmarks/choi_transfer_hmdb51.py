"""HMDB-51 after Mini-Kinetics-200 (Choi et al. 2019, Tables 1, 4 and 5), its first split."""
from typing import TYPE_CHECKING

from devias_mm.harness import Method, Suite

if TYPE_CHECKING:
    from mmengine.config import Config

PRETRAIN = ('configs/scene_adversarial/'
            'scene-adversarial_r3d-r18_2xb16-16x1x1-100e_mini-kinetics200-rgb.py')
FINETUNE = 'configs/scene_adversarial/finetune_r3d-r18_2xb16-16x1x1-100e_hmdb51-rgb.py'


def without_boxes(cfg: 'Config') -> None:
    """Read no human boxes, which the adversarial loss does not need."""
    cfg.train_dataloader.dataset.pipeline = cfg.clips_16x1.train.dataset.pipeline


def transfer(label: str, *changes) -> Method:
    """Return the fine-tuning after a pre-training with these changes."""
    pretrain = Method(PRETRAIN, f'{label}, pre-training', 'NeurIPS 2019', change=changes)
    return Method(FINETUNE, label, 'NeurIPS 2019', predicts=('action', ), pretrain=pretrain)


suite = Suite(
    name='choi_transfer_hmdb51',
    title='Mini-Kinetics-200 to HMDB-51: top-1 accuracy in percent',
    methods={
        'none': transfer('without debiasing', without_boxes,
                         dict(model=dict(losses=(), scene_teacher=None))),
        'adversarial-hard': transfer(
            'scene adversarial, hard labels', without_boxes,
            dict(model=dict(losses=('adversarial', ), scene_labels='hard'))),
        'adversarial': transfer('scene adversarial', without_boxes,
                                dict(model=dict(losses=('adversarial', )))),
        'human-mask': transfer('human mask confusion',
                               dict(model=dict(losses=('confusion', ), scene_teacher=None))),
        'both': transfer('Choi et al. (both)'),
    },
    splits=('test', ),
    action_seen=('test', ),
    data_config='configs/_base_/datasets/hmdb51_16x1.py',
)
