"""Reading the frames of a clip: opening, sampling, decoding in one transform."""
import contextlib
import math
import os.path as osp
import re
from typing import Callable, Dict, Iterator, List, Optional, Tuple

import cv2
import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from devias_mm.datasets.transforms.decoder_log import capture_decoder_log, find_damage
from devias_mm.errors import UsageError
from devias_mm.pictures import ImageReadError

# clock times and addresses in the decoders' messages: reasons are compared between runs
VARIABLE = re.compile(r'\[\d\d:\d\d:\d\d\] | @ 0x[0-9a-f]+')


class VideoReadError(RuntimeError):
    """A video that cannot be decoded.

    Args:
        video: path of the video.
        reason: what the decoder said; clock times and addresses are taken out.
    """

    def __init__(self, video: str, reason: str) -> None:
        reason = VARIABLE.sub('', reason).strip()
        super().__init__(f'cannot read video {video}: {reason}')
        self.video, self.reason = video, reason

    def __reduce__(self) -> Tuple:
        return type(self), (self.video, self.reason)  # to cross a process border


class _DecordReader:
    """Random access; seeks to the key frame before each index."""

    @staticmethod
    def errors() -> Tuple:
        import decord
        return decord.DECORDError, RuntimeError, OSError

    def __init__(self, filename: str) -> None:
        import decord
        self.reader = decord.VideoReader(filename, num_threads=1)
        self.total_frames = len(self.reader)
        self.fps = self.reader.get_avg_fps()

    def read(self, indices: np.ndarray) -> List[np.ndarray]:
        return list(self.reader.get_batch(indices).asnumpy())


class _OpenCVReader:
    """Front to back; several times faster than decord on clips of a few frames."""

    @staticmethod
    def errors() -> Tuple:
        return cv2.error, RuntimeError, OSError

    def __init__(self, filename: str) -> None:
        self.capture = cv2.VideoCapture(filename, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
        if not self.capture.isOpened():
            raise OSError('OpenCV cannot open it')
        self.total_frames = int(self.capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.fps = self.capture.get(cv2.CAP_PROP_FPS)

    def read(self, indices: np.ndarray) -> List[np.ndarray]:
        frames: Dict[int, np.ndarray] = {}
        wanted = set(indices.tolist())
        for index in range(max(wanted) + 1):
            if not self.capture.grab():
                raise OSError(f'decoding ended at frame {index} of {self.total_frames}')
            if index in wanted:
                _, frame = self.capture.retrieve()
                frames[index] = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        return [frames[index] for index in indices.tolist()]


def segment_frames(segment: dict, fps: float, total_frames: int) -> Tuple[int, int]:
    """Return the first frame of a segment and the one after its last.

    The frames that are shown at its start and at its end belong to it; what the video lacks is
    cut off.

    Args:
        segment: ``start`` and ``end`` in seconds, and ``filename``.
        fps: frames a second.
        total_frames: frames of the video.

    Raises:
        VideoReadError: the video has no frame rate, or ends before the segment starts.
    """
    filename, start, end = segment['filename'], segment['start'], segment['end']
    if not 0 < fps < math.inf:
        raise VideoReadError(filename, 'it has no frame rate, and only a segment is wanted')
    first = int(start * fps)
    if first >= total_frames:
        raise VideoReadError(filename, f'the segment starts at {start} s, the video ends at '
                             f'{total_frames / fps:.2f} s')
    last = min(math.ceil(end * fps), total_frames)
    return first, max(first + 1, last)


READERS: Dict[str, Callable] = dict(decord=_DecordReader, opencv=_OpenCVReader)


@TRANSFORMS.register_module()
class ReadClip(BaseTransform):
    """Open a video, sample frame indices and decode these frames.

    It does the work of ``DecordInit``, a frame sampler and ``DecordDecode``, so that
    the errors of decoding, and no others, become a ``VideoReadError``.

    A dataset whose clips are no video files puts a ``source`` into ``results``: an
    object with ``total_frames``, ``fps`` and ``read(indices, clip_len)``, such as
    :class:`devias_mm.datasets.frame_folders.FrameFolder`, which takes the place of the
    decoder. Of a segment, with ``start`` and ``end`` in seconds in ``results``, only
    its frames are sampled and decoded.

    Example::

        dict(type='ReadClip',
             sampler=dict(type='SampleFrames', clip_len=16, frame_interval=4))

    Required keys: ``filename``, ``start_index``. Added keys: ``total_frames``,
    ``avg_fps``, ``frame_inds``, ``imgs`` (list of uint8 RGB arrays ``(H, W, 3)``),
    ``original_shape``, ``img_shape`` and what the sampler adds.

    Args:
        sampler: config of a frame sampler of MMAction2, such as
            ``dict(type='SampleFrames', clip_len=16, frame_interval=4)``.
        backend: ``'decord'`` (seeks; for real videos) or ``'opencv'`` (front to back; for
            videos of a few dozen frames).

    Raises:
        VideoReadError: the video cannot be opened, has no frame, or a
            sampled frame is damaged or cannot be decoded; its frames differ in size; or a
            segment begins after its end.
    """

    def __init__(self, sampler: dict, backend: str = 'decord') -> None:
        if backend not in READERS:
            raise UsageError(f'ReadClip: backend {backend!r} is unknown, accepted: '
                             f'{sorted(READERS)}.')
        self.sampler = TRANSFORMS.build(sampler)
        self.backend = backend

    def transform(self, results: dict) -> Optional[dict]:
        """Read the clip that ``results`` describes."""
        filename, source = results['filename'], results.get('source')
        log: List[str] = []
        with capture_decoder_log(log), self._decoding(filename):
            reader = source or READERS[self.backend](filename)
            total_frames = reader.total_frames
        if total_frames < 1:
            raise VideoReadError(filename, 'it holds no frame')
        results['total_frames'], results['avg_fps'] = total_frames, reader.fps
        if 'start' in results:
            results['start_index'], end = segment_frames(results, reader.fps, total_frames)
            results['total_frames'] = end - results['start_index']
        results = self.sampler(results)
        results['frame_inds'] = results['frame_inds'].reshape(-1)
        with capture_decoder_log(log), self._decoding(filename):
            if source is None:
                results['imgs'] = reader.read(results['frame_inds'])
            else:
                results['imgs'] = source.read(results['frame_inds'], results['clip_len'])
        damage = find_damage(log)
        if damage:
            raise VideoReadError(filename, f'damaged data: {damage}')
        sizes = sorted({img.shape[:2] for img in results['imgs']})
        if len(sizes) > 1:  # of a folder: nothing that follows could stack them
            raise VideoReadError(filename, f'its frames differ in size (h, w): {sizes}')
        results['original_shape'] = results['img_shape'] = results['imgs'][0].shape[:2]
        return results

    @contextlib.contextmanager
    def _decoding(self, filename: str) -> Iterator[None]:
        try:
            yield
        except VideoReadError:  # a source's own
            raise
        except ImageReadError as error:
            raise VideoReadError(filename, error.short) from error
        except READERS[self.backend].errors() as error:
            text = str(error).replace(filename, osp.basename(filename))
            reason = next(iter(text.splitlines()), '') or type(error).__name__
            raise VideoReadError(filename, reason) from error
