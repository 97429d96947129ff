"""The embedded benchmark at its demo setting: all methods, all test splits."""
from devias_mm.evaluation.metrics import per_split, ratios, seen_unseen, swap_metrics
from devias_mm.harness import Data, Method, Protocol, Suite


def small(folder: str, name: str) -> str:
    """The embedded recipe of a method."""
    return f'configs/{folder}/{name}_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py'


ACTION = ('action', )
# StillMix draws from frames that its reference network is sure about
FRAME_BANK = ('model.data_preprocessor.augments.0.bank', 'tools/data/rank_still_frames.py')
SPLITS = ('seen', 'unseen', 'unseen-texture', 'scene-only', 'human-only')

suite = Suite(
    name='puppets',
    title='Puppets (demo preset): top-1 accuracy in percent',
    # the order decides the colours of the figures: those of the ladder suite come first
    methods={
        'naive': Method(small('naive', 'naive-action'), 'Naive Action',
                        'ECCV 2024, supp. C.1', ACTION),
        'be': Method(small('be', 'be'), 'BE', 'CVPR 2021', ACTION),
        'fame': Method(small('fame', 'fame'), 'FAME', 'CVPR 2022', ACTION),
        'two-token': Method(small('tokens', 'two-token'), 'Two-Token', 'ECCV 2024'),
        'devias': Method(small('devias', 'devias'), 'DEVIAS', 'ECCV 2024'),
        'naive-scene': Method(small('naive', 'naive-scene'), 'Naive Scene',
                              'ECCV 2024, supp. C.1', ('scene', )),
        'naive-aug': Method(small('naive', 'naive-action-aug'), 'Naive Action w/ Aug',
                            'ECCV 2024, supp. C.1', ACTION),
        'mixup': Method(small('mixing', 'mixup'), 'mixup', 'ICLR 2018', ACTION),
        'cutmix': Method(small('mixing', 'cutmix'), 'CutMix', 'ICCV 2019', ACTION),
        'videomix': Method(small('mixing', 'videomix'), 'VideoMix (space-time)', 'arXiv 2020',
                           ACTION),
        'actor-cutmix': Method(small('actor_cutmix', 'actor-cutmix'), 'ActorCutMix', 'CVIU 2023',
                               ACTION),
        'still-mix': Method(small('still_mix', 'still-mix'), 'StillMix (w/o RefNet)', 'ICCV 2023',
                            ACTION),
        'still-mix-reference': Method(
            small('still_mix', 'still-mix'), 'StillMix', 'ICCV 2023', ACTION,
            pretrain='configs/still_mix/'
                     'still-mix-reference_conv-tokens_1xb16-8x0x1-16e_puppets-rgb.py',
            derived=FRAME_BANK),
        'albar': Method(small('albar', 'albar'), 'ALBAR', 'ICLR 2025', ACTION),
        'scene-adversarial': Method(small('scene_adversarial', 'scene-adversarial'),
                                    'Choi et al.', 'NeurIPS 2019', ACTION),
        'one-token': Method(small('tokens', 'one-token'), 'One-Token', 'ECCV 2024'),
        'one-token-unified': Method(small('tokens', 'one-token-unified'),
                                    'One-Token, unified head', 'ECCV 2024'),
        'two-token-unified': Method(small('tokens', 'two-token-unified'),
                                    'Two-Token, unified head', 'ECCV 2024'),
        'two-token-be': Method(small('tokens', 'two-token-be'), 'Two-Token w/ BE', 'ECCV 2024'),
        'two-token-fame': Method(small('tokens', 'two-token-fame'), 'Two-Token w/ FAME',
                                 'ECCV 2024'),
    },
    seeds=(0, 1, 2),
    protocol=Protocol(
        splits=SPLITS,
        metrics=(
            *seen_unseen(action_seen=('seen', ), action_unseen=('unseen', 'unseen-texture'),
                         scene_seen=('seen', ), scene_unseen=('unseen', 'scene-only')),
            *per_split(SPLITS),
            *swap_metrics(('unseen', )),
            *ratios(('seen', ), background_only='scene-only', human_only='human-only')),
        rank_by=('hm', 'action_unseen', 'scene_unseen'),
        scatter={'Action': ('action_seen', 'action_unseen'),
                 'Scene': ('scene_seen', 'scene_unseen')}),
    data=Data(
        config='configs/_base_/datasets/puppets.py',
        manifest='data/puppets/demo/manifest.json',
        command='python tools/data/make_puppets.py --out data/puppets --preset demo'),
)
