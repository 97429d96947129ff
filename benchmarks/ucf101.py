"""UCF-101 with its SCUBA and HAT test sets (DEVIAS Tables 2 and 7)."""
from devias_mm.evaluation.metrics import (
    comprehensive,
    contrasted_metrics,
    per_split,
    ratios,
    seen_unseen,
    swap_metrics,
)
from devias_mm.evaluation.reference import Reference
from devias_mm.harness import Data, Method, Protocol, Suite


def vit(folder: str, name: str, epochs: int = 100) -> str:
    """The ViT-B recipe of a method."""
    return f'configs/{folder}/{name}_vit-base-p16_8xb12-16x4x1-{epochs}e_ucf101-rgb.py'


KINDS = ('random', 'close', 'far')
DRAWS = {f'hat-{kind}': tuple(f'hat-{kind}/{draw}' for draw in (1, 2, 3)) for kind in KINDS}
SAME = {'hat-same': tuple(f'hat-same/{draw}' for draw in (1, 2, 3))}
SETS = {**DRAWS, **SAME}
SOURCES = ('vqgan', 'sinusoid', 'places365')
SPLITS = ('seen', *(f'scuba-{source}' for source in SOURCES), 'hat-scene-only', 'hat-human-only',
          *DRAWS['hat-random'], *DRAWS['hat-close'], *DRAWS['hat-far'])
# outside the protocol of DEVIAS: `tools/test_bias.py --splits`
OPTIONAL = (*(f'scufo-{source}' for source in SOURCES), 'conflfg', *SAME['hat-same'])

PROTOCOL = Protocol(
    splits=SPLITS,
    optional_splits=OPTIONAL,
    sets=SETS,
    topk=dict(action=1, scene=5),
    metrics=(
        *seen_unseen(action_seen=('seen', ), action_unseen=('scuba-vqgan', 'scuba-sinusoid'),
                     scene_seen=('seen', ),
                     scene_unseen=('hat-scene-only', 'hat-random', 'hat-far')),
        *comprehensive(
            action_seen=('seen', ),
            action_unseen=('scuba-places365', 'scuba-vqgan', 'scuba-sinusoid', *DRAWS),
            scene_seen=('seen', ), scene_unseen=('hat-scene-only', *DRAWS)),
        *per_split((*SPLITS, *OPTIONAL), SETS),
        *swap_metrics(tuple(SETS)),
        *ratios(('seen', ), background_only='hat-scene-only', human_only='hat-human-only'),
        *contrasted_metrics({f'contrasted-{source}': (f'scuba-{source}', f'scufo-{source}')
                             for source in SOURCES})),
    rank_by=('hm', 'action_unseen', 'scene_unseen'),
    scatter={'Action': ('action_seen', 'action_unseen'), 'Scene': ('scene_seen', 'scene_unseen')},
    references=(Reference('devias_table02'), Reference('devias_table07'),
                Reference('devias_table13')),
)

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
            pretrain='configs/still_mix/'
                     'still-mix-reference_vit-base-p16_8xb12-16x0x1-100e_ucf101-rgb.py',
            derived=('model.data_preprocessor.augments.0.bank',
                     'tools/data/rank_still_frames.py')),
        # its small steps fine-tune an encoder that knows the actions
        'albar': Method(vit('albar', 'albar', epochs=50).replace('8xb12', '8xb4'), 'ALBAR',
                        'ICLR 2025', predicts=('action', ), pretrain=vit('naive', 'naive-action')),
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
                         pretrain=vit('naive', 'naive-action')),
    },
    protocol=PROTOCOL,
    data=Data(
        config='configs/_base_/datasets/ucf101.py',
        scene_label_command=(
            f"python tools/data/pseudo_label_scenes.py {vit('devias', 'devias')} "
            'checkpoints/vit-base-p16_places365.pth --out data/ucf101/annotations/scenes '
            "--split seen hat-scene-only 'hat-random/*' 'hat-close/*' 'hat-far/*'")),
)
