"""Clips one after the other over a whole video."""
from typing import Dict

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform


@TRANSFORMS.register_module()
class ConsecutiveClips(BaseTransform):
    """Divide a video into clips without overlap (retrieval protocol of DSM).

    A rest at the end that does not fill a clip is left out; a video shorter than one clip is
    repeated from its beginning.

    Required keys: ``total_frames``, ``start_index``. Added keys: ``frame_inds``, ``clip_len``,
    ``frame_interval``, ``num_clips``.

    Args:
        clip_len (int): frames of a clip. Defaults to 16.
        frame_interval (int): distance of neighbouring frames. Defaults to 1.
        max_clips (int, optional): at most this many, from the beginning.
    """

    def __init__(self, clip_len: int = 16, frame_interval: int = 1, max_clips: int = None) -> None:
        if clip_len < 1 or frame_interval < 1 or (max_clips is not None and max_clips < 1):
            raise ValueError('ConsecutiveClips: clip_len, frame_interval and max_clips must be at '
                             f'least 1, got {clip_len}, {frame_interval} and {max_clips}')
        self.clip_len = clip_len
        self.frame_interval = frame_interval
        self.max_clips = max_clips

    def transform(self, results: Dict) -> Dict:
        """Add the frame indices of all clips."""
        span = self.clip_len * self.frame_interval
        total = results['total_frames']
        clips = max(total // span, 1)
        if self.max_clips is not None:
            clips = min(clips, self.max_clips)
        starts = span * np.arange(clips)[:, None]
        indices = starts + self.frame_interval * np.arange(self.clip_len)
        results['frame_inds'] = (indices.reshape(-1) % total) + results['start_index']
        results.update(clip_len=self.clip_len, frame_interval=self.frame_interval, num_clips=clips)
        return results
