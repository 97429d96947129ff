"""HMDB-51 after Mini-Kinetics-200 (Choi et al. 2019, Tables 1, 4 and 5), its first split."""
from typing import TYPE_CHECKING

from devias_mm.evaluation.metrics import per_split, seen_unseen
from devias_mm.evaluation.reference import Reference
from devias_mm.harness import Data, Method, Protocol, Suite

if TYPE_CHECKING:
    from mmengine.config import Config

PRETRAIN = ('configs/scene_adversarial/'
            'scene-adversarial_r3d-r18_2xb16-16x1x1-100e_mini-kinetics200-rgb.py')
FINETUNE = 'configs/scene_adversarial/finetune_r3d-r18_2xb16-16x1x1-100e_hmdb51-rgb.py'


def without_boxes(cfg: 'Config') -> None:
    """Read no human boxes, which the adversarial loss does not need."""
    cfg.train_dataloader.dataset.pipeline = cfg.clips_16x1.train.dataset.pipeline


def warm_up(cfg: 'Config') -> None:
    """Train the scene classifier alone for five epochs, then all at a hundredth of its rate."""
    alone = dict(type='TrainNewLayersFirst', prefixes=['scene_head.'], epochs=5)
    rates = dict(type='MultiStepLR', begin=0, end=100, milestones=[5], gamma=0.01)
    cfg.merge_from_dict(dict(
        optim_wrapper=dict(optimizer=dict(lr=1e-2)),
        param_scheduler=[rates],
        custom_hooks=[*cfg.custom_hooks, alone]))


def transfer(label: str, *changes) -> Method:
    """Return the fine-tuning after a pre-training with these changes."""
    pretrain = Method(PRETRAIN, f'{label}, pre-training', 'NeurIPS 2019', change=changes)
    return Method(FINETUNE, label, 'NeurIPS 2019', predicts=('action', ), pretrain=pretrain)


# the published training has three stages, each of which starts from the one before
DAMPED = dict(optim_wrapper=dict(optimizer=dict(dampening=0.9)))
ACTIONS = Method(
    PRETRAIN, 'Choi et al., released, actions', 'NeurIPS 2019',
    change=[without_boxes, DAMPED, dict(model=dict(losses=(), scene_teacher=None))])
ADVERSARIAL = Method(
    PRETRAIN, 'Choi et al., released, adversarial', 'NeurIPS 2019',
    change=[without_boxes, DAMPED,
            dict(model=dict(losses=('adversarial', ), reversal_scale=1.0)), warm_up],
    pretrain=ACTIONS)
BOTH = Method(
    PRETRAIN, 'Choi et al., released, both', 'NeurIPS 2019',
    change=[DAMPED, dict(model=dict(reversal_scale=0.5, confusion_weight=0.5),
                         optim_wrapper=dict(optimizer=dict(lr=1e-4)))],
    pretrain=ADVERSARIAL)


def released(label: str, stage: Method) -> Method:
    """Return the published fine-tuning after a stage of the published training."""
    return Method(FINETUNE, f'{label}, released', 'NeurIPS 2019', predicts=('action', ),
                  change=DAMPED, pretrain=stage)


# the paper's Table 4 prints soft labels, Table 5 the losses, each for the first split
LABELS = {'none': 'none', 'adversarial-hard': 'hard', 'adversarial': 'soft'}

LOSSES = {'none': 'none', 'human-mask': 'entropy', 'adversarial': 'adversarial',
          'both': 'adversarial+entropy'}

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
        'none-released': released('without debiasing', ACTIONS),
        'adversarial-released': released('scene adversarial', ADVERSARIAL),
        'both-released': released('Choi et al. (both)', BOTH),
    },
    protocol=Protocol(
        splits=('test', ),
        metrics=(*seen_unseen(action_seen=('test', )), *per_split(('test', ))),
        rank_by=('action_seen', ),
        references=(
            Reference('choi_table04', columns={'hmdb51_split1': 'action_seen'}, rows={
                method: dict(scene_labels=value) for method, value in LABELS.items()}),
            Reference('choi_table05', columns={'hmdb51_split1': 'action_seen'}, rows={
                method: dict(debiasing_losses=value) for method, value in LOSSES.items()}))),
    data=Data('configs/_base_/datasets/hmdb51_16x1.py'),
)
