"""HMDB-51 after Mini-Kinetics-200 (Choi et al. 2019, Tables 1, 4 and 5), its first split."""
from devias_mm.evaluation.metrics import per_split, seen_unseen
from devias_mm.evaluation.reference import Reference
from devias_mm.harness import Data, Method, Protocol, Suite


def transfer(name: str, label: str) -> Method:
    """Fine-tuning after one of the pre-trainings."""
    return Method(
        'configs/scene_adversarial/finetune_r3d-r18_2xb16-16x1x1-100e_hmdb51-rgb.py', label,
        'NeurIPS 2019', predicts=('action', ),
        pretrain=f'configs/scene_adversarial/{name}_r3d-r18_2xb16-16x1x1-100e_'
                 'mini-kinetics200-rgb.py')


# the paper's Table 4 prints soft labels, Table 5 the losses, each for the first split
LABELS = {'none': 'none', 'adversarial-hard': 'hard', 'adversarial': 'soft'}
LOSSES = {'none': 'none', 'human-mask': 'entropy', 'adversarial': 'adversarial',
          'both': 'adversarial+entropy'}

suite = Suite(
    name='choi_transfer_hmdb51',
    title='Mini-Kinetics-200 to HMDB-51: top-1 accuracy in percent',
    methods={
        'none': transfer('scene-adversarial-none', 'without debiasing'),
        'adversarial-hard': transfer('scene-adversarial-adv-hard',
                                     'scene adversarial, hard labels'),
        'adversarial': transfer('scene-adversarial-adv-soft', 'scene adversarial'),
        'human-mask': transfer('scene-adversarial-ent', 'human mask confusion'),
        'both': transfer('scene-adversarial', 'Choi et al. (both)'),
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
