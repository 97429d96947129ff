"""UCF-101 with its SCUBA and HAT test sets (DEVIAS Tables 2, 7 and 13)."""
from dataclasses import replace
from typing import TYPE_CHECKING

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
from devias_mm.harness.changes import (
    background_erasing,
    erase_and_mix,
    put_augments,
    single_frames,
    still_frames,
)
from devias_mm.harness.recipes import fragment

if TYPE_CHECKING:
    from mmengine.config import Config

NAIVE = 'configs/naive/naive-action_vit-base-p16_8xb12-16x4x1-100e_ucf101-rgb.py'
STILL_MIX = 'configs/still_mix/still-mix_vit-base-p16_8xb12-16x4x1-100e_ucf101-rgb.py'
TWO_TOKEN = 'configs/tokens/two-token_vit-base-p16_8xb12-16x4x1-100e_ucf101-rgb.py'
DEVIAS = 'configs/devias/devias_vit-base-p16_8xb12-16x4x1-100e_ucf101-rgb.py'
DRAWS = {f'hat-{kind}': tuple(f'hat-{kind}/{draw}' for draw in (1, 2, 3))
         for kind in ('random', 'close', 'far')}
SOURCES = ('vqgan', 'sinusoid', 'places365')


def fame(cfg: 'Config') -> None:
    """Add FAME's augmentation (DEVIAS Table 20)."""
    put_augments(cfg, fragment('augments/fame.py').fame)


def printed(cfg: 'Config') -> None:
    """Make of DEVIAS what the paper prints, where the published code differs from it."""
    cfg.merge_from_dict(dict(model=fragment('methods/devias_print.py').printed.to_dict()))
    masks = cfg.model.data_preprocessor.augments[0]
    del masks.blur_size  # FAME's own


def published_views(cfg: 'Config') -> None:
    """Test on the views of the published commands: the shorter side is 224 and the ratio kept.

    The paper, and all other rows, resize the frames to 256 x 256.
    """
    shorter_side = dict(type='Resize', scale=(-1, 224))
    dataset = cfg.test_dataloader.dataset
    if 'scene_teacher' in cfg.model:
        crops = dict(type='ThreeCrop', crop_size=224)
        dataset.pipeline = [dataset.pipeline[0], shorter_side, crops, *dataset.pipeline[3:]]
    else:  # HVU: one clip and one crop
        reader, _, *rest = cfg.val_dataloader.dataset.pipeline
        dataset.pipeline = [reader, shorter_side, *rest]


ACTION = ('action', )
ONE_TOKEN = dict(model=dict(backbone=dict(num_extra_tokens=1)))
UNIFIED = dict(model=dict(unified_head=True))
naive = Method(NAIVE, 'Naive Action ViT', 'ECCV 2024, supp. C.1', predicts=ACTION)

SAME = {'hat-same': tuple(f'hat-same/{draw}' for draw in (1, 2, 3))}
SETS = {**DRAWS, **SAME}
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
        'naive': naive,
        'naive-aug': replace(naive, label='Action ViT w/ Aug', change=erase_and_mix),
        'be': Method('configs/be/be_vit-base-p16_8xb12-16x4x1-100e_ucf101-rgb.py', 'BE',
                     'CVPR 2021', predicts=ACTION),
        'fame': Method('configs/fame/fame_vit-base-p16_8xb12-16x4x1-100e_ucf101-rgb.py', 'FAME',
                       'CVPR 2022', predicts=ACTION),
        'scene-adversarial': Method(
            'configs/scene_adversarial/'
            'scene-adversarial_vit-base-p16_8xb12-16x4x1-100e_ucf101-rgb.py',
            'Choi et al.', 'NeurIPS 2019', predicts=ACTION),
        'mixup': Method('configs/mixing/mixup_vit-base-p16_8xb12-16x4x1-100e_ucf101-rgb.py',
                        'mixup', 'ICLR 2018', predicts=ACTION),
        'cutmix': Method('configs/mixing/cutmix_vit-base-p16_8xb12-16x4x1-100e_ucf101-rgb.py',
                         'CutMix', 'ICCV 2019', predicts=ACTION),
        'videomix': Method(
            'configs/mixing/videomix_vit-base-p16_8xb12-16x4x1-100e_ucf101-rgb.py',
            'VideoMix (space-time)', 'arXiv 2020', predicts=ACTION),
        'actor-cutmix': Method(
            'configs/actor_cutmix/actor-cutmix_vit-base-p16_8xb12-16x4x1-100e_ucf101-rgb.py',
            'ActorCutMix', 'CVIU 2023', predicts=ACTION),
        'still-mix': Method(STILL_MIX, 'StillMix (w/o RefNet)', 'ICCV 2023', predicts=ACTION),
        'still-mix-reference': Method(
            STILL_MIX, 'StillMix', 'ICCV 2023', predicts=ACTION,
            pretrain=Method(NAIVE, 'StillMix, RefNet', predicts=ACTION, change=still_frames),
            derived=('model.data_preprocessor.augments.0.bank',
                     'tools/data/rank_still_frames.py')),
        # the share of mixed clips that most of the published configs have
        'still-mix-released': Method(
            STILL_MIX, 'StillMix, released', 'ICCV 2023', predicts=ACTION,
            change=dict(model=dict(data_preprocessor=dict(augments={'0': dict(ratio=0.25)}))),
            pretrain=Method(NAIVE, 'StillMix, image network', predicts=ACTION,
                            change=single_frames),
            derived=('model.data_preprocessor.augments.0.bank',
                     'tools/data/rank_still_frames.py')),
        # its small steps fine-tune an encoder that knows the actions
        'albar': Method('configs/albar/albar_vit-base-p16_8xb4-16x4x1-50e_ucf101-rgb.py',
                        'ALBAR', 'ICLR 2025', predicts=ACTION, pretrain=naive),
        'naive-scene': Method(
            'configs/naive/naive-scene_vit-base-p16_8xb12-16x4x1-100e_ucf101-rgb.py',
            'Naive Scene ViT', 'ECCV 2024, supp. C.1', predicts=('scene', )),
        # DEVIAS Fig. 4: (c), (a), and with a unified head (d), (b)
        'one-token': Method(TWO_TOKEN, 'One-Token', 'ECCV 2024', change=ONE_TOKEN),
        'two-token': Method(TWO_TOKEN, 'Two-Token', 'ECCV 2024'),
        'one-token-unified': Method(TWO_TOKEN, 'One-Token, unified head', 'ECCV 2024',
                                    change=[ONE_TOKEN, UNIFIED]),
        'two-token-unified': Method(TWO_TOKEN, 'Two-Token, unified head', 'ECCV 2024',
                                    change=UNIFIED),
        'two-token-be': Method(TWO_TOKEN, 'Two-Token w/ BE', 'ECCV 2024',
                               change=background_erasing),
        'two-token-fame': Method(TWO_TOKEN, 'Two-Token w/ FAME', 'ECCV 2024', change=fame),
        # supp. B: on UCF-101 it starts from weights that know the actions
        'devias': Method(DEVIAS, 'DEVIAS', 'ECCV 2024', pretrain=naive),
        'devias-print': Method(DEVIAS, 'DEVIAS, as printed', 'ECCV 2024', change=printed,
                               pretrain=naive),
        'devias-official': Method(DEVIAS, 'DEVIAS, views of the published code', 'ECCV 2024',
                                  change=published_views, pretrain=naive),
    },
    protocol=PROTOCOL,
    data=Data(
        config='configs/_base_/datasets/ucf101.py',
        scene_label_command=(
            f'python tools/data/pseudo_label_scenes.py {DEVIAS} '
            'checkpoints/vit-base-p16_places365.pth --out data/ucf101/annotations/scenes '
            "--split seen hat-scene-only 'hat-random/*' 'hat-close/*' 'hat-far/*'")),
)
