"""UCF-101 with its SCUBA and HAT test sets (DEVIAS Tables 2 and 7)."""
from devias_mm.harness import Method, Suite


def vit(folder: str, name: str, epochs: int = 100) -> str:
    """The ViT-B recipe of a method."""
    return f'configs/{folder}/{name}_vit-base-p16_8xb12-16x4x1-{epochs}e_ucf101-rgb.py'


DRAWS = {f'hat-{kind}': tuple(f'hat-{kind}/{draw}' for draw in (1, 2, 3))
         for kind in ('random', 'close', 'far')}
SOURCES = ('vqgan', 'sinusoid', 'places365')

suite = Suite(
    name='ucf101',
    title='UCF-101: action top-1, scene top-5 in percent',
    methods={
        'naive': Method(vit('naive', 'naive-action'), 'Naive Action ViT', 'ECCV 2024, supp. C.1',
                        predicts=('action', )),
        'naive-aug': Method(vit('naive', 'naive-action-aug'), 'Action ViT w/ Aug',
                            'ECCV 2024, supp. C.1', predicts=('action', )),
        'be': Method(vit('be', 'be'), 'BE', 'CVPR 2021', predicts=('action', )),
        'fame': Method(vit('fame', 'fame'), 'FAME', 'CVPR 2022', predicts=('action', )),
        'scene-adversarial': Method(vit('scene_adversarial', 'scene-adversarial'), 'Choi et al.',
                                    'NeurIPS 2019', predicts=('action', )),
        'mixup': Method(vit('mixing', 'mixup'), 'mixup', 'ICLR 2018', predicts=('action', )),
        'cutmix': Method(vit('mixing', 'cutmix'), 'CutMix', 'ICCV 2019', predicts=('action', )),
        'videomix': Method(vit('mixing', 'videomix'), 'VideoMix (space-time)', 'arXiv 2020',
                           predicts=('action', )),
        'actor-cutmix': Method(vit('actor_cutmix', 'actor-cutmix'), 'ActorCutMix', 'CVIU 2023',
                               predicts=('action', )),
        'still-mix': Method(vit('still_mix', 'still-mix'), 'StillMix (w/o RefNet)', 'ICCV 2023',
                            predicts=('action', )),
        'still-mix-reference': Method(
            vit('still_mix', 'still-mix'), 'StillMix', 'ICCV 2023', predicts=('action', ),
            pretrain=Method('configs/still_mix/'
                            'still-mix-reference_vit-base-p16_8xb12-16x0x1-100e_ucf101-rgb.py'),
            derived=('model.data_preprocessor.augments.0.bank',
                     'tools/data/rank_still_frames.py')),
        # its small steps fine-tune an encoder that knows the actions
        'albar': Method(vit('albar', 'albar', epochs=50).replace('8xb12', '8xb4'), 'ALBAR',
                        'ICLR 2025', predicts=('action', ),
                        pretrain=Method(vit('naive', 'naive-action'))),
        'naive-scene': Method(vit('naive', 'naive-scene'), 'Naive Scene ViT',
                              'ECCV 2024, supp. C.1', predicts=('scene', )),
        'one-token': Method(vit('tokens', 'one-token'), 'One-Token', 'ECCV 2024'),
        'two-token': Method(vit('tokens', 'two-token'), 'Two-Token', 'ECCV 2024'),
        'one-token-unified': Method(vit('tokens', 'one-token-unified'),
                                    'One-Token, unified head', 'ECCV 2024'),
        'two-token-unified': Method(vit('tokens', 'two-token-unified'),
                                    'Two-Token, unified head', 'ECCV 2024'),
        'two-token-be': Method(vit('tokens', 'two-token-be'), 'Two-Token w/ BE', 'ECCV 2024'),
        'two-token-fame': Method(vit('tokens', 'two-token-fame'), 'Two-Token w/ FAME',
                                 'ECCV 2024'),
        # supp. B: on UCF-101 it starts from weights that know the actions
        'devias': Method(vit('devias', 'devias'), 'DEVIAS', 'ECCV 2024',
                         pretrain=Method(vit('naive', 'naive-action'))),
    },
    splits=('seen', *(f'scuba-{source}' for source in SOURCES), 'hat-scene-only',
            'hat-human-only', *(split for draws in DRAWS.values() for split in draws)),
    sets=DRAWS,
    action_topk=1,
    scene_topk=5,
    action_seen=('seen', ),
    scene_seen=('seen', ),
    action_unseen=('scuba-vqgan', 'scuba-sinusoid'),
    scene_unseen=('hat-scene-only', 'hat-random', 'hat-far'),
    action_unseen_all=('scuba-places365', 'scuba-vqgan', 'scuba-sinusoid', *DRAWS),
    scene_unseen_all=('hat-scene-only', *DRAWS),
    swap_sets=tuple(DRAWS),
    # outside the protocol of DEVIAS: `tools/test_bias.py --splits`
    optional_splits=(*(f'scufo-{source}' for source in SOURCES), 'conflfg'),
    optional_swap_sets={'hat-same': tuple(f'hat-same/{draw}' for draw in (1, 2, 3))},
    contrasted={f'contrasted-{source}': (f'scuba-{source}', f'scufo-{source}')
                for source in SOURCES},
    background_only='hat-scene-only',
    human_only='hat-human-only',
    data_config='configs/_base_/datasets/ucf101.py',
    scene_label_command=(
        f"python tools/data/pseudo_label_scenes.py {vit('devias', 'devias')} "
        'checkpoints/vit-base-p16_places365.pth --out data/ucf101/annotations/scenes '
        "--split seen hat-scene-only 'hat-random/*' 'hat-close/*' 'hat-far/*'"),
)
