"""Foreground masks from files, cropped and flipped as their frames are."""
import os.path as osp
import zlib
from typing import Callable, List, Sequence, Union
from zipfile import BadZipFile

import cv2
import numpy as np
import torch
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from devias_mm.errors import MissingFileError, UsageError, UserError
from devias_mm.pictures import ImageReadError, read_image

REMEDY = 'make it again with tools/data/make_masks.py'
#: transforms that move pixels and leave their values alone
GEOMETRY = ('CenterCrop', 'Flip', 'MultiScaleCrop', 'RandomCrop', 'RandomRescale',
            'RandomResizedCrop', 'Resize', 'TenCrop', 'ThreeCrop', 'ThreeCropViews')


@TRANSFORMS.register_module()
class LoadMasks(BaseTransform):
    """Load the masks of the sampled frames and apply the geometric transforms to both.

    The mask goes through ``geometry`` as the fourth channel of its frame: whatever is drawn
    there, frame and mask stay aligned. The transform comes right after ``ReadClip``; what changes
    colours comes after it. To hand the masks on, name ``'masks'`` in the ``algorithm_keys`` of
    ``PackActionInputs``: ``DebiasDataPreprocessor`` makes them the masks of its targets.

    Required keys: ``imgs``, ``frame_inds``, ``clip_len``, ``video_id``. Added keys: ``masks``,
    uint8 tensor ``(views, T, H, W)``, 255 = foreground. Changed: ``imgs`` and what
    ``geometry`` changes.

    Args:
        path: name of a mask file below ``data_root``. ``{video_id}`` is replaced by the
            video's name in the list, ``{name}`` for its last part. With ``{frame}``, as in
            ``'seg/{video_id}/{frame:06d}.png'`` (the layout of HAT), a file is the grey image
            of one frame, 255 = foreground. Without, it is an ``.npz`` with an array ``masks``,
            ``(frames, H, W)``, bool or uint8 (``'masks/{video_id}.npz'`` of Puppets).
        geometry: the transforms that frames and masks share; of
            dicts only the types in ``GEOMETRY``.
        data_root: folder of the data set.
        first_frame: number of the first image file.

    Raises:
        UsageError: a bad argument.
        UserError: masks cannot be read, or do not go with the video.
        MissingFileError: a mask is missing.

    Example::

        dict(type='LoadMasks', path='masks/{video_id}.npz', data_root='data/puppets/demo',
             geometry=[dict(type='RandomResizedCrop'), dict(type='Resize', scale=(64, 64),
                                                            keep_ratio=False)])
    """

    def __init__(self,
                 path: str,
                 geometry: Sequence[Union[dict, Callable]] = (),
                 data_root: str = '',
                 first_frame: int = 1) -> None:
        if '{video_id}' not in path and '{name}' not in path:
            raise UsageError(f'LoadMasks: path must contain {{video_id}} or {{name}}, got {path!r}')
        if '{frame' not in path and not path.endswith('.npz'):
            raise UsageError('LoadMasks: path must contain {frame}, one image a frame, or end '
                             f'with .npz, got {path!r}')
        kinds = [step['type'] for step in geometry if isinstance(step, dict)]
        unknown = [kind for kind in kinds if kind not in GEOMETRY]
        if unknown:
            raise UsageError(f'LoadMasks: geometry must not hold {unknown}, which may change the '
                             f'masks: put them after it. Accepted: {GEOMETRY}.')
        self.path = path
        self.geometry = [TRANSFORMS.build(step) if isinstance(step, dict) else step
                         for step in geometry]
        self.data_root = data_root
        self.first_frame = first_frame

    def transform(self, results: dict) -> dict:
        """Load, align and split off the masks."""
        video_id = results['video_id']
        masks = self.read(video_id, results['frame_inds'])
        joined = []
        for frame, mask in zip(results['imgs'], masks):
            joined.append(np.dstack([frame, self.fit(mask, frame, video_id)]))
        results['imgs'] = joined
        for step in self.geometry:
            results = step(results)
        cropped = np.stack(results['imgs'])
        results['imgs'] = list(cropped[..., :3])
        masks = np.ascontiguousarray(cropped[..., 3])
        # views in the order in which FormatShape lays out those of the frames
        masks = masks.reshape(-1, results['clip_len'], *masks.shape[1:])
        results['masks'] = torch.from_numpy(masks)
        return results

    def read(self, video_id: str, indices: np.ndarray) -> List[np.ndarray]:
        """Read the masks of some frames, uint8 ``(H, W)`` each."""
        names = dict(video_id=video_id, name=osp.basename(video_id))
        if '{frame' in self.path:
            return [self._read_image(self.file(frame=int(index) + self.first_frame, **names))
                    for index in indices]
        file = self.file(**names)
        masks = self._read_archive(file)
        if indices.max() >= len(masks):
            raise UserError(f'{file} holds {len(masks)} masks, but frame {indices.max()} of '
                            f'video {video_id!r} was sampled: make the masks from this video file')
        chosen = masks[indices].astype(np.uint8)
        if masks.dtype == np.bool_:
            chosen *= 255
        return list(chosen)

    def file(self, **names) -> str:
        """Return the path of a mask file that exists."""
        file = osp.join(self.data_root, self.path.format(**names))
        if not osp.isfile(file):
            raise MissingFileError(
                f"no mask file {file} for video {names['video_id']!r}: make the masks with "
                'tools/data/make_masks.py, or point `data_root`, `path` and `first_frame` of '
                'LoadMasks to where they are')
        return file

    @staticmethod
    def _read_archive(file: str) -> np.ndarray:
        try:
            with np.load(file, allow_pickle=False) as archive:
                masks = archive['masks']
        # what a damaged archive may raise
        except (KeyError, ValueError, TypeError, EOFError, OSError, BadZipFile, zlib.error,
                NotImplementedError) as error:
            raise UserError(f'{file} holds no array `masks` that can be read ({error}): {REMEDY}'
                            ) from error
        if masks.ndim != 3 or masks.dtype not in (np.bool_, np.uint8):
            raise UserError(f'{file}: masks must be bool or uint8, (frames, height, width), got '
                            f'{masks.dtype} {masks.shape}: {REMEDY}')
        return masks

    @staticmethod
    def _read_image(file: str) -> np.ndarray:
        try:
            return read_image(file, grey=True)
        except ImageReadError as error:
            raise UserError(f'{file} is no image that OpenCV can read: {REMEDY}') from error

    @staticmethod
    def fit(mask: np.ndarray, frame: np.ndarray, video_id: str) -> np.ndarray:
        """Bring a mask to the size of its frame; both have the same shape but for rounding."""
        rows, columns = mask.shape
        height, width = frame.shape[:2]
        if (rows, columns) == (height, width):
            return mask
        if abs(rows * width - columns * height) > max(height, width, rows, columns):
            raise UserError(f'masks of {columns} x {rows} (w x h) do not go with the frames of '
                            f'video {video_id!r}, {width} x {height}: their shapes differ')
        return cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR)
