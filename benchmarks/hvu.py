"""HVU, rearranged into seen and unseen combinations (DEVIAS Table 4)."""
from dataclasses import replace
from pathlib import Path

from devias_mm.evaluation.metrics import per_split, seen_unseen
from devias_mm.evaluation.reference import Reference
from devias_mm.harness import Data, Protocol, Suite, load_suite
from devias_mm.harness.changes import single_frames, still_frames

UCF101 = load_suite(Path(__file__).with_name('ucf101.py'))
NAIVE = 'configs/naive/naive-action_vit-base-p16_8xb12-16x4x1-50e_hvu-rgb.py'
STILL_MIX = 'configs/still_mix/still-mix_vit-base-p16_8xb12-16x4x1-50e_hvu-rgb.py'
TWO_TOKEN = 'configs/tokens/two-token_vit-base-p16_8xb12-16x4x1-50e_hvu-rgb.py'
DEVIAS = 'configs/devias/devias_vit-base-p16_8xb12-16x4x1-50e_hvu-rgb.py'
# the rows are those of UCF-101, with these recipes
CONFIGS = {
    'naive': NAIVE,
    'naive-aug': NAIVE,
    'be': 'configs/be/be_vit-base-p16_8xb12-16x4x1-50e_hvu-rgb.py',
    'fame': 'configs/fame/fame_vit-base-p16_8xb12-16x4x1-50e_hvu-rgb.py',
    'scene-adversarial':
        'configs/scene_adversarial/scene-adversarial_vit-base-p16_8xb12-16x4x1-50e_hvu-rgb.py',
    'mixup': 'configs/mixing/mixup_vit-base-p16_8xb12-16x4x1-50e_hvu-rgb.py',
    'cutmix': 'configs/mixing/cutmix_vit-base-p16_8xb12-16x4x1-50e_hvu-rgb.py',
    'videomix': 'configs/mixing/videomix_vit-base-p16_8xb12-16x4x1-50e_hvu-rgb.py',
    'actor-cutmix': 'configs/actor_cutmix/actor-cutmix_vit-base-p16_8xb12-16x4x1-50e_hvu-rgb.py',
    'still-mix': STILL_MIX,
    'still-mix-reference': STILL_MIX,
    'still-mix-released': STILL_MIX,
    'albar': 'configs/albar/albar_vit-base-p16_8xb4-16x4x1-50e_hvu-rgb.py',
    'naive-scene': 'configs/naive/naive-scene_vit-base-p16_8xb12-16x4x1-50e_hvu-rgb.py',
    'one-token': TWO_TOKEN,
    'two-token': TWO_TOKEN,
    'one-token-unified': TWO_TOKEN,
    'two-token-unified': TWO_TOKEN,
    'two-token-be': TWO_TOKEN,
    'two-token-fame': TWO_TOKEN,
    'devias': DEVIAS,
    'devias-print': DEVIAS,
    'devias-official': DEVIAS,
}
naive = replace(UCF101.methods['naive'], config=NAIVE)
STARTS = {
    'still-mix-reference': replace(naive, label='StillMix, RefNet', change=still_frames),
    'still-mix-released': replace(naive, label='StillMix, image network', change=single_frames),
    'albar': naive,  # DEVIAS starts from it on UCF-101 alone
}

suite = Suite(
    name='hvu',
    title='HVU: top-1 accuracy in percent',
    methods={name: replace(method, config=CONFIGS[name], pretrain=STARTS.get(name))
             for name, method in UCF101.methods.items()},
    protocol=Protocol(
        splits=('seen', 'unseen'),
        metrics=(
            *seen_unseen(action_seen=('seen', ), action_unseen=('unseen', ),
                         scene_seen=('seen', ), scene_unseen=('unseen', )),
            *per_split(('seen', 'unseen'))),
        rank_by=('hm', 'action_unseen', 'scene_unseen'),
        scatter={'Action': ('action_seen', 'action_unseen'),
                 'Scene': ('scene_seen', 'scene_unseen')},
        references=(Reference('devias_table04'), )),
    data=Data('configs/_base_/datasets/hvu.py'),
)
