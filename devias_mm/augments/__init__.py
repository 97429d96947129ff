"""Batch augmentations that any recognizer takes by config."""
from devias_mm import compat

compat.apply()

from devias_mm.augments.actor_cutmix import ActorCutMix
from devias_mm.augments.background_erasing import BackgroundErasing
from devias_mm.augments.color_jitter import ClipColorJitter
from devias_mm.augments.contrastive import ContrastiveDataPreprocessor
from devias_mm.augments.data_preprocessor import DebiasDataPreprocessor
from devias_mm.augments.fame import FAMEMasks
from devias_mm.augments.human_masking import has_human, mask_humans
from devias_mm.augments.local_shifts import LocalShifts
from devias_mm.augments.mixing import CutMix, Mixup, OneOf, VideoMix
from devias_mm.augments.motion_scaling import MotionScaling
from devias_mm.augments.random_erasing import RandomErasing
from devias_mm.augments.random_rotation import RandomRotation
from devias_mm.augments.scene_mix import SceneMix, composite
from devias_mm.augments.segformer_masks import SegFormerMasks
from devias_mm.augments.spatial_warp import SpatialWarp
from devias_mm.augments.still_mix import StillMix, still_clips

__all__ = [
    'ActorCutMix', 'BackgroundErasing', 'ClipColorJitter', 'ContrastiveDataPreprocessor',
    'CutMix', 'DebiasDataPreprocessor', 'FAMEMasks', 'LocalShifts', 'Mixup', 'MotionScaling',
    'OneOf', 'RandomErasing', 'RandomRotation', 'SceneMix', 'SegFormerMasks', 'SpatialWarp',
    'StillMix', 'VideoMix', 'composite', 'has_human', 'mask_humans', 'still_clips'
]
