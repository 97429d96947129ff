"""Temporal shift: a second clip of the same video, some frames later (DSM, Eq. 4)."""
from typing import Dict, Optional, Sequence

import numpy as np
from mmaction.datasets.transforms import SampleFrames
from mmaction.registry import TRANSFORMS

from devias_mm.errors import UsageError


@TRANSFORMS.register_module()
class TemporalShiftFrames(SampleFrames):
    """Sample a clip and its shifted copy ``x'_i = x_{i + tau}`` (DSM, Eq. 4).

    Indices beyond the end of the video go on at its first frame. ``tau`` counts frames of
    the video, not sampled ones: the paper speaks of "the length of the untrimmed video".

    Changed keys: those of ``SampleFrames``; ``frame_inds`` holds the clip and then the
    shifted one, ``num_clips`` is 2.

    Args:
        shift_range: ``(alpha_1, alpha_2)``; ``tau`` is drawn uniformly from
            these two and the whole numbers between. The paper: (2, 20) on UCF-101, (4, 30) on
            Kinetics. ``(0, 0)``: no shift. ``(alpha_1, None)``: any other start that is at least
            ``alpha_1`` frames away in both directions (published code of DSM and BE: 4); a video
            that is too short for that is shifted by ``alpha_1``.
        **kwargs: of ``SampleFrames``; ``num_clips`` is 1.

    Raises:
        UsageError: the range is not ordered or negative, or ``num_clips`` is not 1.
    """

    def __init__(self, *args, shift_range: Sequence[Optional[int]], **kwargs) -> None:
        super().__init__(*args, **kwargs)
        low, high = shift_range
        if low < 0 or (high is not None and high < low):
            raise UsageError('TemporalShiftFrames: shift_range must be two ordered frame counts, '
                             f'got {tuple(shift_range)}')
        if self.num_clips != 1:
            raise UsageError('TemporalShiftFrames samples one clip and its shifted copy; '
                             f'num_clips must be 1, got {self.num_clips}')
        self.shift_range = (low, high)

    def transform(self, results: Dict) -> Dict:
        """Add the frame indices of both clips."""
        results = super().transform(results)
        first, total = results['start_index'], results['total_frames']
        low, high = self.shift_range
        if high is None:
            high = max(low, total - low)
        tau = np.random.randint(low, high + 1)
        indices = results['frame_inds']
        shifted = (indices - first + tau) % total + first
        results['frame_inds'] = np.concatenate([indices, shifted])
        results['num_clips'] = 2
        return results
