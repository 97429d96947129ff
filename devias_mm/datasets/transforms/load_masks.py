"""Foreground masks from files, cropped and flipped as their frames are."""
import os.path as osp
from typing import Callable, List, Sequence, Union

import cv2
import numpy as np
import torch
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from devias_mm.errors import MissingFileError

#: transforms that move pixels and leave their values alone
GEOMETRY = ('CenterCrop', 'Flip', 'MultiScaleCrop', 'RandomCrop', 'RandomRescale',
            'RandomResizedCrop', 'Resize', 'TenCrop', 'ThreeCrop', 'ThreeCropViews')


@TRANSFORMS.register_module()
class LoadMasks(BaseTransform):
    """Load the masks of the sampled frames and apply the geometric transforms to both.

    The mask travels through ``geometry`` as the fourth channel of its frame: whatever is drawn
    there, frame and mask stay aligned. Comes right after ``ReadClip``; what changes colours
    comes after it. To hand the masks on, name ``'masks'`` in the ``algorithm_keys`` of
    ``PackActionInputs``: ``DebiasDataPreprocessor`` makes them the masks of its targets.

    Required keys: ``imgs``, ``frame_inds``, ``clip_len``, ``video_id``. Added keys: ``masks``,
    uint8 tensor ``(views, T, H, W)``, 255 = foreground. Changed: ``imgs`` and what
    ``geometry`` changes.

    Args:
        path (str): name of a mask file below ``data_root``. ``{video_id}`` stands for the
            video's name in the list, ``{name}`` for its last part. With ``{frame}``, as in
            ``'seg/{video_id}/{frame:06d}.png'`` (the layout of HAT), a file is the grey image
            of one frame, 255 = foreground. Without, it is an ``.npz`` with an array ``masks``,
            ``(frames, H, W)``, bool or uint8 (``'masks/{video_id}.npz'`` of Puppets).
        geometry (Sequence[dict | Callable]): the transforms that frames and masks share; of
            dicts only the types in ``GEOMETRY``.
        data_root (str): Defaults to ``''``.
        first_frame (int): number of the first image file. Defaults to 1.

    Raises:
        ValueError: a bad argument; masks that do not go with the video.
        FileNotFoundError: a mask is missing.
    """

    def __init__(self,
                 path: str,
                 geometry: Sequence[Union[dict, Callable]] = (),
                 data_root: str = '',
                 first_frame: int = 1) -> None:
        if '{video_id}' not in path and '{name}' not in path:
            raise ValueError('LoadMasks: path must contain {video_id} or {name}, '
                             f'got {path!r}')
        if '{frame' not in path and not path.endswith('.npz'):
            raise ValueError('LoadMasks: path must contain {frame}, one image a frame, or end '
                             f'with .npz, got {path!r}')
        unknown = [step['type'] for step in geometry
                   if isinstance(step, dict) and step['type'] not in GEOMETRY]
        if unknown:
            raise ValueError(f'LoadMasks: geometry must not hold {unknown}, which may change the '
                             f'masks: put them after it. Accepted: {GEOMETRY}.')
        self.path = path
        self.geometry = [TRANSFORMS.build(step) if isinstance(step, dict) else step
                         for step in geometry]
        self.data_root = data_root
        self.first_frame = first_frame

    def transform(self, results: dict) -> dict:
        """Load, align and split off the masks."""
        frames = results['imgs']
        masks = self.read(results['video_id'], results['frame_inds'])
        results['imgs'] = [np.dstack([frame, self.fit(mask, frame, results['video_id'])])
                           for frame, mask in zip(frames, masks)]
        for step in self.geometry:
            results = step(results)
        joined = np.stack(results['imgs'])
        results['imgs'] = list(joined[..., :3])
        masks = np.ascontiguousarray(joined[..., 3])
        # views in the order in which FormatShape lays out those of the frames
        masks = masks.reshape(-1, results['clip_len'], *masks.shape[1:])
        results['masks'] = torch.from_numpy(masks)
        return results

    def read(self, video_id: str, indices: np.ndarray) -> List[np.ndarray]:
        """Read the masks of some frames, uint8 ``(H, W)`` each."""
        names = dict(video_id=video_id, name=osp.basename(video_id))
        if '{frame' in self.path:
            return [self.read_image(self.file(frame=int(index) + self.first_frame, **names))
                    for index in indices]
        file = self.file(**names)
        try:
            with np.load(file, allow_pickle=False) as archive:
                masks = archive['masks']
        except (KeyError, ValueError, EOFError, OSError) as error:
            raise ValueError(f'{file} holds no array `masks` that can be read ({error}): make it '
                             'again with tools/data/make_masks.py') from error
        if masks.ndim != 3 or masks.dtype not in (np.bool_, np.uint8):
            raise ValueError(f'{file}: masks must be bool or uint8, (frames, height, width), got '
                             f'{masks.dtype} {masks.shape}')
        if indices.max() >= len(masks):
            raise ValueError(f'{file} holds {len(masks)} masks, but frame {indices.max()} of '
                             f'video {video_id!r} was sampled: make the masks from this video file')
        masks = masks[indices]
        return list(255 * masks.astype(np.uint8) if masks.dtype == np.bool_ else masks)

    def file(self, **names) -> str:
        """Path of a mask file that exists."""
        file = osp.join(self.data_root, self.path.format(**names))
        if not osp.isfile(file):
            raise MissingFileError(
                f"no mask file {file} for video {names['video_id']!r}: make the masks with "
                'tools/data/make_masks.py, or point `data_root`, `path` and `first_frame` of '
                'LoadMasks to where they are')
        return file

    @staticmethod
    def read_image(file: str) -> np.ndarray:
        """Read a grey image."""
        mask = cv2.imread(file, cv2.IMREAD_GRAYSCALE)
        if mask is None:
            raise ValueError(f'{file} is no image that OpenCV can read: make it again with '
                             'tools/data/make_masks.py')
        return mask

    @staticmethod
    def fit(mask: np.ndarray, frame: np.ndarray, video_id: str) -> np.ndarray:
        """Bring a mask to the size of its frame; both have the same shape but for rounding."""
        (rows, columns), (height, width) = mask.shape, frame.shape[:2]
        if (rows, columns) == (height, width):
            return mask
        if abs(rows * width - columns * height) > max(height, width, rows, columns):
            raise ValueError(f'masks of {columns} x {rows} (w x h) do not go with the frames of '
                             f'video {video_id!r}, {width} x {height}: their shapes differ')
        return cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR)
