"""HMDB-51 after Mini-Kinetics-200 (Choi et al. 2019, Tables 1, 4 and 5), its first split."""
from devias_mm.harness import Method, Suite


def transfer(name: str, label: str) -> Method:
    """Fine-tuning after one of the pre-trainings."""
    return Method(
        'configs/scene_adversarial/finetune_r3d-r18_2xb16-16x1x1-100e_hmdb51-rgb.py', label,
        'NeurIPS 2019', predicts=('action', ),
        pretrain=Method(f'configs/scene_adversarial/{name}_r3d-r18_2xb16-16x1x1-100e_'
                        'mini-kinetics200-rgb.py'))


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
    splits=('test', ),
    action_seen=('test', ),
    data_config='configs/_base_/datasets/hmdb51_16x1.py',
)
