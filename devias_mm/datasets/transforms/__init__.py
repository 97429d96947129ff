"""Transforms that MMAction2 lacks."""
from .crop_views import ThreeCropViews
from .read_clip import ReadClip, VideoReadError

__all__ = ['ReadClip', 'ThreeCropViews', 'VideoReadError']
