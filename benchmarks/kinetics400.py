"""Kinetics-400 with its SCUBA and HAT test sets (DEVIAS Tables 3 and 8)."""
from dataclasses import replace
from pathlib import Path

from devias_mm.evaluation.metrics import per_split
from devias_mm.evaluation.reference import Reference
from devias_mm.harness import Data, load_suite
from devias_mm.harness.changes import single_frames, still_frames

UCF101 = load_suite(Path(__file__).with_name('ucf101.py'))
NAIVE = 'configs/naive/naive-action_vit-base-p16_8xb12-16x4x1-100e_kinetics400-rgb.py'
STILL_MIX = 'configs/still_mix/still-mix_vit-base-p16_8xb12-16x4x1-100e_kinetics400-rgb.py'
TWO_TOKEN = 'configs/tokens/two-token_vit-base-p16_8xb12-16x4x1-100e_kinetics400-rgb.py'
DEVIAS = 'configs/devias/devias_vit-base-p16_8xb12-16x4x1-100e_kinetics400-rgb.py'
# the rows are those of UCF-101, with these recipes
CONFIGS = {
    'naive': NAIVE,
    'naive-aug': NAIVE,
    'be': 'configs/be/be_vit-base-p16_8xb12-16x4x1-100e_kinetics400-rgb.py',
    'fame': 'configs/fame/fame_vit-base-p16_8xb12-16x4x1-100e_kinetics400-rgb.py',
    'scene-adversarial':
        'configs/scene_adversarial/scene-adversarial_vit-base-p16_8xb12-16x4x1-100e_kinetics400-rgb.py',
    'mixup': 'configs/mixing/mixup_vit-base-p16_8xb12-16x4x1-100e_kinetics400-rgb.py',
    'cutmix': 'configs/mixing/cutmix_vit-base-p16_8xb12-16x4x1-100e_kinetics400-rgb.py',
    'videomix': 'configs/mixing/videomix_vit-base-p16_8xb12-16x4x1-100e_kinetics400-rgb.py',
    'actor-cutmix':
        'configs/actor_cutmix/actor-cutmix_vit-base-p16_8xb12-16x4x1-100e_kinetics400-rgb.py',
    'still-mix': STILL_MIX,
    'still-mix-reference': STILL_MIX,
    'still-mix-released': STILL_MIX,
    'albar': 'configs/albar/albar_vit-base-p16_8xb4-16x4x1-50e_kinetics400-rgb.py',
    'naive-scene': 'configs/naive/naive-scene_vit-base-p16_8xb12-16x4x1-100e_kinetics400-rgb.py',
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

suite = replace(
    UCF101,
    name='kinetics400',
    title='Kinetics-400: action top-1, scene top-5 in percent',
    methods={name: replace(method, config=CONFIGS[name], pretrain=STARTS.get(name))
             for name, method in UCF101.methods.items()},
    protocol=replace(
        UCF101.protocol,
        optional_splits=(*UCF101.protocol.optional_splits, 'mimetics'),
        metrics=(*UCF101.protocol.metrics, *per_split(('mimetics', ))),
        references=(Reference('devias_table03'), Reference('devias_table08'))),
    data=Data(
        config='configs/_base_/datasets/kinetics400.py',
        scene_label_command=UCF101.data.scene_label_command.replace('ucf101', 'kinetics400')),
)
