"""Transforms that MMAction2 lacks."""
from devias_mm.datasets.transforms.consecutive_clips import ConsecutiveClips
from devias_mm.datasets.transforms.contrastive_views import ContrastiveViews
from devias_mm.datasets.transforms.crop_views import ThreeCropViews
from devias_mm.datasets.transforms.load_masks import LoadMasks
from devias_mm.datasets.transforms.read_clip import ReadClip, VideoReadError
from devias_mm.datasets.transforms.still_clip import ReadStillClip
from devias_mm.datasets.transforms.temporal_shift import TemporalShiftFrames

__all__ = [
    'ConsecutiveClips', 'ContrastiveViews', 'LoadMasks', 'ReadClip', 'ReadStillClip',
    'TemporalShiftFrames', 'ThreeCropViews', 'VideoReadError'
]
