"""Batch augmentations that any recognizer takes by config."""
from .actor_cutmix import ActorCutMix
from .background_erasing import BackgroundErasing
from .contrastive import ContrastiveDataPreprocessor
from .data_preprocessor import DebiasDataPreprocessor
from .fame import FAMEMasks
from .human_masking import has_human, mask_humans
from .mixing import CutMix, Mixup, OneOf, VideoMix
from .motion_scaling import MotionScaling
from .random_erasing import RandomErasing
from .scene_mix import SceneMix, composite
from .segformer_masks import SegFormerMasks
from .spatial_warp import SpatialWarp
from .still_mix import StillMix, still_clips

__all__ = [
    'ActorCutMix', 'BackgroundErasing', 'ContrastiveDataPreprocessor', 'CutMix',
    'DebiasDataPreprocessor', 'FAMEMasks', 'Mixup', 'MotionScaling', 'OneOf', 'RandomErasing',
    'SceneMix', 'SegFormerMasks', 'SpatialWarp', 'StillMix', 'VideoMix', 'composite',
    'has_human', 'mask_humans', 'still_clips'
]
