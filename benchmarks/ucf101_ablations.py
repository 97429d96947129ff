"""DEVIAS without its parts, on UCF-101 (DEVIAS Tables 6 and 14 a, b).

Its H.M. is that of these tables: the action is unseen in SCUBA-VQGAN alone, the scene in HAT's
Scene-Only.
"""
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from devias_mm.evaluation.metrics import per_split, seen_unseen
from devias_mm.evaluation.reference import Reference
from devias_mm.harness import Method, Protocol, load_suite
from devias_mm.harness.changes import put_augments

if TYPE_CHECKING:
    from mmengine.config import Config

UCF101 = load_suite(Path(__file__).with_name('ucf101.py'))
# columns of the paper's tables: ours
COLUMNS = {'action_seen': 'action_seen', 'scuba-vqgan': 'action_unseen', 'scene_seen': 'scene_seen',
           'hat-scene-only_scene': 'scene_unseen', 'hm_ablation': 'hm'}
PROTOCOL = Protocol(
    splits=('seen', 'scuba-vqgan', 'hat-scene-only'),
    topk=UCF101.protocol.topk,
    metrics=(
        *seen_unseen(action_seen=('seen', ), action_unseen=('scuba-vqgan', ),
                     scene_seen=('seen', ), scene_unseen=('hat-scene-only', )),
        *per_split(('seen', 'scuba-vqgan', 'hat-scene-only'))),
    rank_by=('hm', 'action_unseen', 'scene_unseen'),
    scatter=UCF101.protocol.scatter,
    references=(
        Reference('devias_table06', columns=COLUMNS, rows={
            'devias': dict(setting='with disentangling encoder'),
            'no-slots': dict(setting='without disentangling encoder'),
            'no-amd': dict(setting='without action mask decoder'),
            'pixel': dict(setting='target pixel, decodes action slot'),
            'decode-scene': dict(setting='target mask, decodes scene slot'),
            'decode-both': dict(setting='target mask, decodes action and scene slot'),
            '2-iters': dict(setting='slots 2, iterations 2, shared weights'),
            'untied': dict(setting='slots 2, iterations 4, separate weights'),
            '4-slots': dict(setting='slots 4, iterations 4, shared weights'),
            'hard': dict(setting='slot assignment hard'),
            'greedy': dict(setting='slot assignment greedy'),
            'keys-softmax': dict(setting='softmax over keys'),
            'segformer': dict(setting='masks of SegFormer')}),
        Reference('devias_table14', columns=COLUMNS, rows={
            'no-cosine': dict(setting='without cosine loss'),
            'no-guidance': dict(setting='disentangling encoder, mask prediction'),
            'no-mask-decoder': dict(setting='disentangling encoder, attention guidance')})))
DEVIAS = UCF101.methods['devias']


def without_slots(cfg: 'Config') -> None:
    """Put two encoder tokens with fixed roles in place of the slots."""
    cfg.model.slot_attention = None
    cfg.model.backbone.num_extra_tokens = 2
    cfg.optim_wrapper.paramwise_cfg.lr_mult = dict()  # it was that of the slot attention


def learned_masks(cfg: 'Config') -> None:
    """Take person masks from SegFormer, the extra `segformer` (docs/scenes_and_masks.md)."""
    _, scene_mix = cfg.model.data_preprocessor.augments
    put_augments(cfg, [dict(type='SegFormerMasks'), scene_mix])


def ablation(label: str, **model) -> Method:
    """Return DEVIAS with other arguments of its model."""
    return replace(DEVIAS, label=label, change=dict(model=model))


def mask_decoding(**options) -> dict:
    """Return the term of the mask decoder with other options."""
    return dict(mask=dict(type='MaskDecoding', **options))


suite = replace(
    UCF101,
    name='ucf101_ablations',
    title='Ablations of DEVIAS on UCF-101: action top-1, scene top-5 in percent',
    methods={
        'devias': DEVIAS,
        # Table 6 (a), 14 (b) fifth row
        'no-slots': replace(DEVIAS, label='w/o disentangling encoder', change=without_slots),
        # 6 (b), 14 (b) first row: neither mask decoder nor attention guidance
        'no-amd': ablation('w/o action mask decoder',
                           losses=dict(mask=None, guidance=None)),
        # 6 (c): the decoder reconstructs the foreground's pixels; masks from other slots
        'pixel': ablation('pixel target', losses=dict(mask=dict(type='PixelDecoding'))),
        'decode-scene': ablation('mask from the scene slot',
                                 losses=mask_decoding(slots=('scene', ))),
        'decode-both': ablation('mask from both slots',
                                losses=mask_decoding(slots=('action', 'scene'))),
        # 6 (d)
        '2-iters': ablation('2 iterations', slot_attention=dict(num_iters=2)),
        'untied': ablation('iterations not shared', slot_attention=dict(tied=False)),
        '4-slots': ablation('4 slots', slot_attention=dict(num_slots=4)),
        # 6 (g): slot 0 is the action's, slot 1 the scene's; greedy
        'hard': ablation('hard assignment', assignment='hard'),
        'greedy': ablation('greedy assignment', assignment='greedy'),
        # 6 (h): softmax over the tokens instead of the slots
        'keys-softmax': ablation('softmax over keys', slot_attention=dict(softmax_axis='tokens')),
        # 6 (i)
        'segformer': replace(DEVIAS, label='SegFormer masks', change=learned_masks),
        # 14 (a)
        'no-cosine': ablation('w/o cosine loss', losses=dict(cosine=None)),
        # 14 (b): the decoder alone, the guidance alone, neither slots nor these
        'no-guidance': ablation('w/o attention guidance', losses=dict(guidance=None)),
        'no-mask-decoder': ablation('w/o mask prediction', losses=dict(mask=None)),
        'two-token-fame': UCF101.methods['two-token-fame'],
    },
    protocol=PROTOCOL,
)
