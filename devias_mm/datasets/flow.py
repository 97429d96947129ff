"""Optical flow of a clip in the data pipeline, estimated there or read from files.

A flow file ``<folder>/<video_id>.npz``, made by ``tools/data/extract_flow.py``, holds the flow of
all frames of a video, reduced in size. Its arrays:

- ``flow``, int8 ``(N, 2, h, w)``, and ``scale``, float32 ``(N, 2)``. ``flow[i] * scale[i]`` is the
  backward flow ``(V_x, V_y)`` from frame ``(i + stride) % N`` to frame ``i``, in widths and heights
  of the frame. The last ``stride`` pairs are those of a video that is looped.
- ``stride``, int64, a single number.
"""
import os.path as osp
from pathlib import Path
from typing import Dict, List, Optional, Tuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from devias_mm.datasets.transforms.contrastive_views import ViewOrigin
from devias_mm.errors import MissingFileError
from devias_mm.files import atomic_path

PRESETS = dict(
    ultrafast=cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    fast=cv2.DISOPTICAL_FLOW_PRESET_FAST,
    medium=cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)


def backward_flow(frames: List[np.ndarray], preset: str = 'fast') -> np.ndarray:
    """Return where each pixel of frame ``t + 1`` was in frame ``t``.

    ``I(x, y, t + 1) = I(x + V_x, y + V_y, t)`` (DSM, Eq. 2), estimated by dense inverse
    search (Kroeger et al., ECCV 2016) as OpenCV has it.

    Args:
        frames (list[np.ndarray]): ``T`` uint8 RGB frames ``(H, W, 3)``.
        preset (str): ``'ultrafast'``, ``'fast'`` or ``'medium'``. Defaults to 'fast'.

    Returns:
        np.ndarray: ``(V_x, V_y)`` in pixels, float32 ``(2, T - 1, H, W)``.
    """
    search = cv2.DISOpticalFlow_create(PRESETS[preset])
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    fields = []
    for before, after in zip(grey, grey[1:]):
        fields.append(search.calc(after, before, None))
    return np.stack(fields).transpose(3, 0, 1, 2)


def write_flow(path: Path,
               frames: List[np.ndarray],
               stride: int,
               preset: str = 'fast',
               short_side: int = 256,
               reduction: int = 4) -> None:
    """Write the flow file of a video.

    Args:
        path (Path): where to, ``.npz``.
        frames (list[np.ndarray]): all of them, uint8 RGB ``(H, W, 3)``.
        stride (int): frames between the two of a pair, at least 1.
        preset (str): of :func:`backward_flow`. Defaults to 'fast'.
        short_side (int): larger frames are reduced to it before. Defaults to 256.
        reduction (int): pixels of these frames for one of the file, in each direction.
            Defaults to 4, the finest that the preset 'fast' resolves.
    """
    height, width = frames[0].shape[:2]
    factor = min(short_side / min(height, width), 1)
    size = round(width * factor), round(height * factor)
    if factor < 1:
        frames = [_reduce(frame, size) for frame in frames]
    columns = max(size[0] // reduction, 1)
    rows = max(size[1] // reduction, 1)
    count = len(frames)
    flow = np.empty((count, 2, rows, columns), dtype=np.int8)
    scale = np.empty((count, 2), dtype=np.float32)
    for i, before in enumerate(frames):
        # the video is looped: the last frames have the first ones after them
        after = frames[(i + stride) % count]
        pair = backward_flow([before, after], preset)[:, 0]
        field = np.stack([_reduce(part, (columns, rows)) for part in pair])
        # full range of int8 for each pair; a field of zeros has any scale
        largest = np.abs(field).max((1, 2))
        step = np.maximum(largest / 127, 1e-6)
        flow[i] = np.rint(field / step[:, None, None])
        scale[i] = step / size
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, flow=flow, scale=scale, stride=stride)


def _reduce(image: np.ndarray, size: Tuple[int, int]) -> np.ndarray:
    """Scale an image to a width and height, each new pixel the mean of what it covers."""
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def read_flow(folder: str,
              video_id: str,
              frame_inds: np.ndarray,
              total_frames: int) -> torch.Tensor:
    """Read the flow between the frames of a clip from a flow file.

    Args:
        folder (str): of the flow files.
        video_id (str): of the video.
        frame_inds (np.ndarray): the clip's frames, counted from 0, ``(T, )``.
        total_frames (int): of the video.

    Returns:
        Tensor: in widths and heights of the frame, float32 ``(T - 1, 2, h, w)``.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it cannot be read, is that of another video, or lacks a pair of the clip.
    """
    path = osp.join(folder, f'{video_id}.npz')
    remedy = 'run tools/data/extract_flow.py CONFIG --out'
    if not osp.isfile(path):
        raise MissingFileError(f'no flow file {path}: {remedy} {folder}')
    try:
        with np.load(path, allow_pickle=False) as archive:
            flow = archive['flow']
            scale = archive['scale']
            stride = int(archive['stride'])
    except Exception as error:  # zipfile, zlib and numpy have errors of their own
        raise ValueError(f'{path} is no flow file that can be read ({error!r}): delete it and '
                         f'{remedy} {folder}') from error
    if len(flow) != total_frames:
        raise ValueError(f'{path} holds the flow of {len(flow)} frames, but the video has '
                         f'{total_frames}: delete it and {remedy} {folder}')
    before = frame_inds[:-1]
    after = frame_inds[1:]
    known = (before + stride) % len(flow)
    lacking = np.flatnonzero(known != after)
    if len(lacking):
        first = lacking[0]
        raise ValueError(
            f'{path} holds the flow between frames {stride} apart, but frames {before[first]} and '
            f'{after[first]} of {len(flow)} were sampled one after the other: {remedy} '
            'OTHER_FOLDER with the config of this training, and set `cache` to that folder')
    fields = flow[before] * scale[before][:, :, None, None]
    return torch.from_numpy(fields)


def flow_of_view(fields: torch.Tensor, origin: ViewOrigin, shape: Tuple[int, int]) -> torch.Tensor:
    """Crop, resize and flip the flow of whole frames as a view of them was.

    Args:
        fields (Tensor): in widths and heights of the frame, ``(N, 2, h, w)``.
        origin (ViewOrigin): of the view, all of whose ``H x W`` pixels are traced.
        shape (tuple[int]): height and width of the decoded frames.

    Returns:
        Tensor: in pixels of the view, ``(2, N, H, W)``.
    """
    height, width = shape
    # -1 and 1 are the outer edges of the frame
    columns = torch.from_numpy((2 * origin.columns + 1) / width - 1)
    rows = torch.from_numpy((2 * origin.rows + 1) / height - 1)
    row_grid, column_grid = torch.meshgrid(rows, columns, indexing='ij')
    places = torch.stack([column_grid, row_grid], -1)
    places = places.expand(len(fields), -1, -1, -1)
    fields = F.grid_sample(fields, places, padding_mode='border', align_corners=False)
    view_pixels = torch.tensor([
        width / _decoded_step(origin.columns),
        height / _decoded_step(origin.rows),
    ])
    fields = fields * view_pixels[:, None, None]
    return fields.transpose(0, 1)


def _decoded_step(positions: np.ndarray) -> float:
    """Return the decoded pixels for one of a view, below 0 where the view is flipped.

    It is measured in the middle half: resizing bends the positions at the borders.
    """
    rest = len(positions) // 4
    distance = positions[-1 - rest] - positions[rest]
    steps = len(positions) - 1 - 2 * rest
    return float(distance / steps)


@TRANSFORMS.register_module()
class BackwardFlow(BaseTransform):
    """Add the flow between the frames of one view, for ``MotionScaling``.

    It is computed in the loader's workers from the cropped and resized frames, so the device
    does not wait. With ``cache`` it is read from files, and cropped, resized and flipped as
    ``ContrastiveViews`` did the frames.

    Required keys: ``imgs``, ``clip_len``; with ``cache`` also ``view_origins``,
    ``original_shape``, ``total_frames``, ``start_index`` and ``video_id``. Added key: ``flow``,
    float16 tensor ``(2, clip_len - 1, H, W)``, see :func:`backward_flow`; name it in the
    ``algorithm_keys`` of ``PackActionInputs``.

    Args:
        view (int): which of the views. Defaults to 2, DSM's negative.
        preset (str): of :func:`backward_flow`. Defaults to 'fast'.
        cache (str, optional): folder of flow files. Defaults to None: flow is computed.

    Raises:
        ValueError: an unknown preset, or a view that the clips do not have; with ``cache`` a
            view whose crops are not known, or a file that does not go with the clip.
        FileNotFoundError: a flow file is missing.
    """

    def __init__(self, view: int = 2, preset: str = 'fast', cache: Optional[str] = None) -> None:
        if preset not in PRESETS:
            raise ValueError(f'BackwardFlow: preset {preset!r} is unknown, accepted: '
                             f'{sorted(PRESETS)}')
        self.view = view
        self.preset = preset
        self.cache = cache

    def transform(self, results: Dict) -> Dict:
        """Compute or read the flow of the view."""
        length = results['clip_len']
        start = self.view * length
        frames = results['imgs'][start:start + length]
        if len(frames) != length:
            raise ValueError(f'BackwardFlow: view {self.view} is asked for, but there are '
                             f'{results["num_clips"]}')
        if self.cache is None:
            flow = torch.from_numpy(backward_flow(frames, self.preset))
        else:
            flow = self.cached(results)
        results['flow'] = flow.half()
        return results

    def cached(self, results: Dict) -> torch.Tensor:
        """Read the flow of the view, float32 ``(2, clip_len - 1, H, W)``."""
        if 'view_origins' not in results:
            raise ValueError('BackwardFlow: with `cache` it has to follow ContrastiveViews, which '
                             'tells how the frames were cropped; or leave `cache` out')
        origin = results['view_origins'][self.view]
        if origin.untraced:
            raise ValueError(f'BackwardFlow: view {self.view} goes through {origin.untraced}, and '
                             'where that moves pixels is not known: leave it or `cache` out')
        # files count from 0, and frame folders often from 1
        indices = origin.frame_inds - results['start_index']
        fields = read_flow(self.cache, results['video_id'], indices, results['total_frames'])
        return flow_of_view(fields, origin, results['original_shape'])
