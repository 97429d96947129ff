"""The embedded benchmark at its demo setting: all methods, all test splits."""
from dataclasses import replace
from typing import TYPE_CHECKING

from devias_mm.harness import Method, Suite
from devias_mm.harness.changes import background_erasing, erase_and_mix, put_augments, still_frames
from devias_mm.harness.recipes import fragment

if TYPE_CHECKING:
    from mmengine.config import Config

NAIVE = 'configs/naive/naive-action_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py'
STILL_MIX = 'configs/still_mix/still-mix_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py'
TWO_TOKEN = 'configs/tokens/two-token_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py'


def fame(cfg: 'Config') -> None:
    """Add FAME's augmentation with its settings on Puppets."""
    put_augments(cfg, fragment('augments/fame_puppets.py').fame)


ACTION = ('action', )
ONE_TOKEN = dict(model=dict(backbone=dict(num_extra_tokens=1)))
UNIFIED = dict(model=dict(unified_head=True))
# StillMix draws from frames that its reference network is sure about
FRAME_BANK = ('model.data_preprocessor.augments.0.bank', 'tools/data/rank_still_frames.py')
naive = Method(NAIVE, 'Naive Action', 'ECCV 2024, supp. C.1', ACTION)

suite = Suite(
    name='puppets',
    title='Puppets (demo preset): top-1 accuracy in percent',
    # the order decides the colours of the figures: those of the ladder suite come first
    methods={
        'naive': naive,
        'be': Method('configs/be/be_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py', 'BE', 'CVPR 2021',
                     ACTION),
        'fame': Method('configs/fame/fame_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py', 'FAME',
                       'CVPR 2022', ACTION),
        'two-token': Method(TWO_TOKEN, 'Two-Token', 'ECCV 2024'),
        'devias': Method('configs/devias/devias_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py',
                         'DEVIAS', 'ECCV 2024'),
        'naive-scene': Method(
            'configs/naive/naive-scene_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py', 'Naive Scene',
            'ECCV 2024, supp. C.1', ('scene', )),
        'naive-aug': replace(naive, label='Naive Action w/ Aug', change=erase_and_mix),
        'mixup': Method('configs/mixing/mixup_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py', 'mixup',
                        'ICLR 2018', ACTION),
        'cutmix': Method('configs/mixing/cutmix_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py',
                         'CutMix', 'ICCV 2019', ACTION),
        'videomix': Method(
            'configs/mixing/videomix_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py',
            'VideoMix (space-time)', 'arXiv 2020', ACTION),
        'actor-cutmix': Method(
            'configs/actor_cutmix/actor-cutmix_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py',
            'ActorCutMix', 'CVIU 2023', ACTION),
        'still-mix': Method(STILL_MIX, 'StillMix (w/o RefNet)', 'ICCV 2023', ACTION),
        'still-mix-reference': Method(
            STILL_MIX, 'StillMix', 'ICCV 2023', ACTION,
            pretrain=Method(NAIVE, 'StillMix, RefNet', predicts=ACTION, change=still_frames),
            derived=FRAME_BANK),
        'albar': Method('configs/albar/albar_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py', 'ALBAR',
                        'ICLR 2025', ACTION),
        'scene-adversarial': Method(
            'configs/scene_adversarial/'
            'scene-adversarial_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py',
            'Choi et al.', 'NeurIPS 2019', ACTION),
        'one-token': Method(TWO_TOKEN, 'One-Token', 'ECCV 2024', change=ONE_TOKEN),
        'one-token-unified': Method(TWO_TOKEN, 'One-Token, unified head', 'ECCV 2024',
                                    change=[ONE_TOKEN, UNIFIED]),
        'two-token-unified': Method(TWO_TOKEN, 'Two-Token, unified head', 'ECCV 2024',
                                    change=UNIFIED),
        'two-token-be': Method(TWO_TOKEN, 'Two-Token w/ BE', 'ECCV 2024',
                               change=background_erasing),
        'two-token-fame': Method(TWO_TOKEN, 'Two-Token w/ FAME', 'ECCV 2024', change=fame),
    },
    seeds=(0, 1, 2),
    splits=('seen', 'unseen', 'unseen-texture', 'scene-only', 'human-only'),
    action_seen=('seen', ),
    action_unseen=('unseen', 'unseen-texture'),
    scene_seen=('seen', ),
    scene_unseen=('unseen', 'scene-only'),
    swap_sets=('unseen', ),
    background_only='scene-only',
    human_only='human-only',
    data_config='configs/_base_/datasets/puppets.py',
    data_manifest='data/puppets/demo/manifest.json',
    data_command='python tools/data/make_puppets.py --out data/puppets --preset demo',
)
