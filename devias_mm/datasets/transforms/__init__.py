"""Transforms that MMAction2 lacks."""
from .consecutive_clips import ConsecutiveClips
from .contrastive_views import ContrastiveViews
from .crop_views import ThreeCropViews
from .load_masks import LoadMasks
from .rand_augment import RandAugment
from .read_clip import ReadClip, VideoReadError
from .repeat_augment import RepeatAugment
from .still_clip import ReadStillClip
from .temporal_shift import TemporalShiftFrames

__all__ = [
    'ConsecutiveClips', 'ContrastiveViews', 'LoadMasks', 'RandAugment', 'ReadClip',
    'ReadStillClip', 'RepeatAugment', 'TemporalShiftFrames', 'ThreeCropViews', 'VideoReadError'
]
