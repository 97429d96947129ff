"""Clips stored as folders of numbered frames (SCUBA, ConflFG), and still ones (SCUFO)."""
import os
import os.path as osp
import zlib
from typing import List, Optional, Sequence

import numpy as np
from mmaction.registry import DATASETS

from devias_mm import pictures
from devias_mm.datasets.action_scene_dataset import ActionSceneDataset
from devias_mm.datasets.transforms.read_clip import VideoReadError

STILL_FRAMES = ('middle', 'random')


def read_image(path: str, grey: bool = False) -> np.ndarray:
    """Read a frame or a mask, see :func:`devias_mm.pictures.read_image`.

    Raises:
        VideoReadError: there is no such file, or it cannot be decoded.
    """
    try:
        return pictures.read_image(path, grey)
    except pictures.ImageReadError as error:
        reason = f'frame {osp.basename(path)} {error.reason}'
        raise VideoReadError(osp.dirname(path), reason) from None


def count_frames(folder: str, filename_tmpl: str) -> int:
    """Number of files in a folder that are named after a template; 0 without a folder."""
    start, end = filename_tmpl.split('{')[0], filename_tmpl.split('}')[1]
    try:
        return sum(name.startswith(start) and name.endswith(end) for name in os.listdir(folder))
    except FileNotFoundError:
        return 0


def stable_rng(seed: int, *names: object) -> np.random.Generator:
    """A random generator that depends on a seed and names only, such as a ``video_id``."""
    return np.random.default_rng([seed, zlib.crc32('/'.join(map(str, names)).encode())])


def still_index(still_frame: str, frames: int, seed: int, name: str) -> int:
    """Index of the frame that stands for a whole clip (SCUFO).

    Args:
        still_frame (str): one of ``STILL_FRAMES``.
        frames (int): length of the clip.
        seed (int): of a random frame.
        name (str): of the clip in its list, which a random frame depends on as well.
    """
    if still_frame == 'middle':
        return frames // 2
    return int(stable_rng(seed, name).integers(frames))


class FrameFolder:
    """The frames of a folder, as a source of ``ReadClip``.

    Args:
        folder (str): the folder.
        filename_tmpl (str): names of the frames, such as ``'img_{:05d}.jpg'``.
        first_number (int): number of the first frame. Defaults to 1.
        total_frames (int, optional): number of frames. Defaults to that of
            the files.
        still (int, optional): index of the one frame that stands for all.
    """
    fps = 0.0  # unknown

    def __init__(self, folder: str, filename_tmpl: str, first_number: int = 1,
                 total_frames: Optional[int] = None, still: Optional[int] = None) -> None:
        self.folder, self.filename_tmpl = folder, filename_tmpl
        self.first_number, self.still = first_number, still
        self._total_frames, self._prefix = total_frames, osp.join(folder, '')

    @property
    def total_frames(self) -> int:
        """Number of frames."""
        if self._total_frames is None:
            self._total_frames = count_frames(self.folder, self.filename_tmpl)
        return self._total_frames

    def path(self, index: int) -> str:
        """File of a frame; ``index`` counts from 0."""
        return self._prefix + self.filename_tmpl.format(self.first_number + index)

    def read(self, indices: np.ndarray, clip_len: int) -> List[np.ndarray]:
        """Decode frames; each file once.

        Args:
            indices (np.ndarray): indices from 0, ``(N,)``.
            clip_len (int): unused: frames of a folder do not depend on their clip.

        Returns:
            list[np.ndarray]: N RGB frames, uint8 ``(H, W, 3)``.
        """
        if self.still is not None:
            indices = np.full_like(indices, self.still)
        frames = {i: read_image(self.path(i)) for i in sorted(set(indices.tolist()))}
        return [frames[i] for i in indices.tolist()]


@DATASETS.register_module()
class FrameFolderDataset(ActionSceneDataset):
    """Folders of frames, as SCUBA is published; a still frame of each makes SCUFO of it.

    The samples are those of ``ActionSceneDataset``; the same pipelines, which begin
    with ``ReadClip``, read them. SCUFO shows one frame of a SCUBA clip, repeated: no motion is
    left, so that accuracy on it is foreground bias (Li et al., ICCV 2023). ConflFG is
    published in the same form as SCUBA and read without further options.

    Args:
        columns (Sequence[str]): fields of a line. Defaults to
            ``('filename', 'total_frames', 'label')``. The listed number of frames
            holds; without that column, the files are counted.
        filename_tmpl (str): names of the frames. Defaults to ``'img_{:05d}.jpg'``.
        first_number (int): number of the first frame. Defaults to 1.
        still_frame (str, optional): ``'middle'`` or ``'random'`` (drawn from ``seed``
            and the ``video_id``): the frame that is repeated. Defaults to the clip as it is.
        seed (int): of the random still frames. Defaults to 0.
        **kwargs: of ``ActionSceneDataset``.
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
            raise ValueError(f'FrameFolderDataset: still_frame={still_frame!r} is unknown, '
                             f'accepted: None, {", ".join(map(repr, STILL_FRAMES))}.')
        self.filename_tmpl, self.first_number = filename_tmpl, first_number
        self.still_frame, self.seed = still_frame, seed
        super().__init__(*args, columns=columns, **kwargs)

    def _check_files(self, items: List[dict]) -> None:
        super()._check_files(items, exists=osp.isdir)

    def get_data_info(self, idx: int) -> dict:
        """Get annotation by index, with the source of its frames."""
        info = super().get_data_info(idx)
        source = FrameFolder(info['filename'], self.filename_tmpl, self.first_number,
                             info.get('total_frames'))
        if self.still_frame and source.total_frames:
            source.still = still_index(self.still_frame, source.total_frames, self.seed,
                                       info['video_id'])
        info['source'] = source
        return info
