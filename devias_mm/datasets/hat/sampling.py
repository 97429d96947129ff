"""Frame sampling as the published HAT and DEVIAS evaluations do it."""
from typing import Dict

import numpy as np
from mmaction.datasets.transforms import SampleFrames
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from devias_mm.datasets.frame_folders import stable_rng


@TRANSFORMS.register_module()
class SampleFramesHAT(SampleFrames):
    """The test sampling of MMAction2 0.x, which HAT's evaluations ran with.

    Each of ``num_clips`` clips is centred in its part of the offsets; MMAction2 1.x puts
    them at the ends, and a single one sometimes a frame earlier. Arguments and keys are
    those of ``SampleFrames``; there is no random mode.
    """

    def _get_ori_clip_len(self, fps_scale_ratio: float) -> float:
        return self.clip_len * self.frame_interval

    def _sample_clips(self, num_frames: int, ori_clip_len: float) -> np.ndarray:
        interval = (num_frames - ori_clip_len + 1) / self.num_clips
        if num_frames < ori_clip_len:
            return np.zeros(self.num_clips, dtype=np.int64)
        return (np.arange(self.num_clips) * interval + interval / 2).astype(np.int64)


@TRANSFORMS.register_module()
class SampleFramesDEVIAS(BaseTransform):
    """The window that DEVIAS's published loader of HAT reads.

    With T frames and clips of L frames at rate R: where ``T > L R``, L frames equally
    spaced in a window of ``L R`` frames, whose end is drawn from ``[L R, T)``, in tests, too;
    otherwise T // R frames equally spaced in the whole video and the last one, repeated.
    The draw depends on ``seed``, the ``video_id`` and the number of the clip only.

    Required keys: ``video_id``, ``total_frames``, ``start_index``; ``window_ends`` (an int a clip)
    takes the place of the draws. Added keys: ``frame_inds``, ``clip_len``, ``frame_interval``,
    ``num_clips`` and ``window_ends`` (-1 where unused), to be recorded by naming it in
    ``PackActionInputs(meta_keys=...)``.

    Args:
        clip_len (int): L.
        frame_interval (int): R. Defaults to 1.
        num_clips (int): number of clips; they differ by the draw alone. Defaults to 1.
        seed (int): of the draws. Defaults to 0.
        test_mode (bool): accepted for the sake of configs; the sampling is the same.
    """

    def __init__(self, clip_len: int, frame_interval: int = 1, num_clips: int = 1,
                 seed: int = 0, test_mode: bool = True) -> None:
        self.clip_len = clip_len
        self.frame_interval = frame_interval
        self.num_clips = num_clips
        self.seed = seed

    def transform(self, results: Dict) -> Dict:
        """Choose the frames of all clips."""
        total = results['total_frames']
        window = self.clip_len * self.frame_interval
        ends = results.get('window_ends')
        if total <= window:
            ends = [-1] * self.num_clips
        elif ends is None:
            ends = []
            for clip in range(self.num_clips):
                rng = stable_rng(self.seed, results['video_id'], clip)
                ends.append(int(rng.integers(window, total)))
        clips = np.stack([self._clip(total, window, end) for end in ends])
        results.update(
            frame_inds=(clips.reshape(-1) + results['start_index']).astype(np.int32),
            clip_len=self.clip_len, frame_interval=self.frame_interval, num_clips=self.num_clips,
            window_ends=ends)
        return results

    def _clip(self, total: int, window: int, end: int) -> np.ndarray:
        if end < 0:
            some = np.linspace(0, total, num=total // self.frame_interval)
            indices = np.concatenate([some, np.full(self.clip_len - len(some), total)])
            return np.clip(indices, 0, total - 1).astype(np.int64)
        indices = np.linspace(end - window, end, num=self.clip_len)
        return np.clip(indices, end - window, end - 1).astype(np.int64)
