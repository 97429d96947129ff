"""Clips one after the other over a whole video."""
from typing import Dict

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from devias_mm.errors import UsageError


@TRANSFORMS.register_module()
class ConsecutiveClips(BaseTransform):
    """Divide a video into clips without overlap (retrieval protocol of DSM).

    A rest at the end that does not fill a clip is left out; a video shorter than one clip is
    repeated from its beginning.

    Required keys: ``total_frames``, ``start_index``. Added keys: ``frame_inds``, ``clip_len``,
    ``frame_interval``, ``num_clips``.

    Args:
        clip_len: frames of a clip.
        frame_interval: distance of neighbouring frames.

    Example::

        sampler = dict(type='ConsecutiveClips', clip_len=16)
    """

    def __init__(self, clip_len: int = 16, frame_interval: int = 1) -> None:
        if clip_len < 1 or frame_interval < 1:
            raise UsageError('ConsecutiveClips: clip_len and frame_interval must be at least 1, '
                             f'got {clip_len} and {frame_interval}')
        self.clip_len = clip_len
        self.frame_interval = frame_interval

    def transform(self, results: Dict) -> Dict:
        """Add the frame indices of all clips."""
        span = self.clip_len * self.frame_interval
        total = results['total_frames']
        clips = max(total // span, 1)
        starts = span * np.arange(clips)[:, None]
        indices = starts + self.frame_interval * np.arange(self.clip_len)
        results['frame_inds'] = (indices.reshape(-1) % total) + results['start_index']
        results.update(clip_len=self.clip_len, frame_interval=self.frame_interval, num_clips=clips)
        return results
