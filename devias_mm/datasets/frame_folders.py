"""Clips stored as folders of numbered frames (SCUBA, ConflFG), and still ones (SCUFO)."""
import os
import os.path as osp
import zlib
from typing import List, Optional, Sequence

import numpy as np
from mmaction.registry import DATASETS

from devias_mm.datasets.action_scene_dataset import ActionSceneDataset
from devias_mm.errors import UsageError
from devias_mm.pictures import read_image

STILL_FRAMES = ('middle', 'random')


def count_frames(folder: str, filename_tmpl: str) -> int:
    """Count the files of a folder that are named after a template; 0 without a folder."""
    start = filename_tmpl.split('{')[0]
    end = filename_tmpl.split('}')[1]
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return 0
    return sum(name.startswith(start) and name.endswith(end) for name in names)


def stable_rng(seed: int, *names: object) -> np.random.Generator:
    """Return a generator that depends on a seed and names only, such as a ``video_id``."""
    joined = '/'.join(str(name) for name in names)
    return np.random.default_rng([seed, zlib.crc32(joined.encode())])


def still_index(still_frame: str, frames: int, seed: int, name: str) -> int:
    """Return the index of the frame that is shown instead of a whole clip (SCUFO).

    Args:
        still_frame: one of ``STILL_FRAMES``.
        frames: length of the clip.
        seed: of a random frame.
        name: of the clip in its list, which a random frame depends on as well.
    """
    if still_frame == 'middle':
        return frames // 2
    return int(stable_rng(seed, name).integers(frames))


class FrameFolder:
    """The frames of a folder, as a source of ``ReadClip``.

    Args:
        folder: the folder.
        filename_tmpl: names of the frames, such as ``'img_{:05d}.jpg'``.
        first_number: number of the first frame.
        total_frames: number of frames. Defaults to the number of files.
        still: index of the one frame that is shown all the time.

    Example::

        >>> FrameFolder('data/scuba/jump/a', 'img_{:05d}.jpg').path(0)
        'data/scuba/jump/a/img_00001.jpg'
    """
    fps = 0.0  # unknown

    def __init__(self, folder: str, filename_tmpl: str, first_number: int = 1,
                 total_frames: Optional[int] = None, still: Optional[int] = None) -> None:
        self.folder = folder
        self.filename_tmpl = filename_tmpl
        self.first_number = first_number
        self.still = still
        self._total_frames = total_frames
        self._prefix = osp.join(folder, '')

    @property
    def total_frames(self) -> int:
        """Number of frames."""
        if self._total_frames is None:
            self._total_frames = count_frames(self.folder, self.filename_tmpl)
        return self._total_frames

    def path(self, index: int) -> str:
        """Return the file of a frame; ``index`` counts from 0."""
        return self._prefix + self.filename_tmpl.format(self.first_number + index)

    def read(self, indices: np.ndarray, clip_len: int) -> List[np.ndarray]:
        """Decode frames; each file once.

        Args:
            indices: indices from 0, ``(N,)``.
            clip_len: unused: frames of a folder do not depend on their clip.

        Returns:
            list[np.ndarray]: N RGB frames, uint8 ``(H, W, 3)``.

        Raises:
            ImageReadError: a frame is missing or cannot be decoded.
        """
        if self.still is not None:
            indices = np.full_like(indices, self.still)
        wanted = indices.tolist()
        frames = {index: read_image(self.path(index)) for index in sorted(set(wanted))}
        return [frames[index] for index in wanted]


@DATASETS.register_module()
class FrameFolderDataset(ActionSceneDataset):
    """Read folders of frames, as SCUBA is published; with a still frame of each, SCUFO.

    Samples and pipelines are the same as of ``ActionSceneDataset``. SCUFO shows one frame of a
    SCUBA clip, repeated: no motion is left, so that accuracy on it is foreground bias (Li et al.,
    ICCV 2023). ConflFG is published in the same form as SCUBA and read without further options.

    Args:
        columns: fields of a line. The listed number of frames counts; without that column, the
            files are counted.
        filename_tmpl: names of the frames.
        first_number: number of the first frame.
        still_frame: ``'middle'`` or ``'random'`` (drawn from ``seed`` and the ``video_id``): the
            frame that is repeated. Defaults to the clip as it is.
        seed: of the random still frames.
        **kwargs: of ``ActionSceneDataset``.

    Example::

        dataset = dict(type='FrameFolderDataset', data_root='data/ucf101', num_classes=101,
                       ann_file='scuba/vqgan.csv', data_prefix=dict(video='scuba/vqgan'),
                       still_frame='random', pipeline=test_pipeline, test_mode=True)
    """

    def __init__(self,
                 *args,
                 columns: Sequence[str] = ('filename', 'total_frames', 'label'),
                 filename_tmpl: str = 'img_{:05d}.jpg',
                 first_number: int = 1,
                 still_frame: Optional[str] = None,
                 seed: int = 0,
                 **kwargs) -> None:
        if still_frame not in (None, *STILL_FRAMES):
            raise UsageError(f'FrameFolderDataset: still_frame={still_frame!r} is unknown, '
                             f'accepted: None, {", ".join(map(repr, STILL_FRAMES))}.')
        self.filename_tmpl = filename_tmpl
        self.first_number = first_number
        self.still_frame = still_frame
        self.seed = seed
        super().__init__(*args, columns=columns, **kwargs)

    def _check_files(self, items: List[dict]) -> None:
        super()._check_files(items, exists=osp.isdir)

    def get_data_info(self, idx: int) -> dict:
        """Return the annotation of a video, with the source of its frames."""
        info = super().get_data_info(idx)
        source = FrameFolder(info['filename'], self.filename_tmpl, self.first_number,
                             info.get('total_frames'))
        if self.still_frame and source.total_frames:
            source.still = still_index(self.still_frame, source.total_frames, self.seed,
                                       info['video_id'])
        info['source'] = source
        return info
