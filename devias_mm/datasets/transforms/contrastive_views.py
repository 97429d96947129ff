"""Several views of one video, each with crops and flips of its own."""
from typing import Callable, Dict, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from devias_mm.errors import UsageError

#: transforms that move pixels by columns and rows, and those that leave them where they are
MOVING = ('CenterCrop', 'Flip', 'MultiScaleCrop', 'RandomCrop', 'RandomRescale',
          'RandomResizedCrop', 'Resize')
STAYING = ('ColorJitter', )


class ViewOrigin(NamedTuple):
    """Where the pixels of a view come from.

    Attributes:
        frame_inds (np.ndarray, optional): the frames that it shows, ``(T, )``.
        columns (np.ndarray): decoded column that each of its columns shows, float32 ``(W, )``.
        rows (np.ndarray): likewise, ``(H, )``.
        untraced (str): a transform that may have moved pixels in a way that these do not
            tell; ``''``: there is none.
    """
    frame_inds: Optional[np.ndarray]
    columns: np.ndarray
    rows: np.ndarray
    untraced: str


@TRANSFORMS.register_module()
class ContrastiveViews(BaseTransform):
    """Apply a pipeline of its own to each view (DSM: ``c1, c2, c3``; MoCo: two views).

    MMAction2's transforms treat all frames of ``imgs`` alike; here each view draws its own
    crop, flip and colours, the same for all its frames.

    Required keys: ``imgs`` (the frames of ``num_clips`` clips), ``clip_len``. Changed keys:
    ``imgs`` (the frames of all views), ``num_clips`` (the number of views), ``img_shape``.
    Added key: ``view_origins``, a :class:`ViewOrigin` for each view.

    Args:
        views: the transforms of each view.
        clips: which of the sampled clips each view is made of.

    Raises:
        UsageError: ``views`` and ``clips`` differ in length, or a clip was not sampled.
    """

    def __init__(self, views: Sequence[Sequence[dict]], clips: Sequence[int]) -> None:
        if len(views) != len(clips):
            raise UsageError(f'ContrastiveViews: {len(views)} views, but {len(clips)} entries in '
                             '`clips`: name the clip of each view')
        self.views = []
        for view in views:
            steps = [TRANSFORMS.build(step) for step in view]
            self.views.append(steps)
        self.clips = tuple(clips)

    def transform(self, results: Dict) -> Dict:
        """Replace the frames of the clips by those of the views."""
        length = results['clip_len']
        sampled = results['num_clips']
        if max(self.clips) >= sampled:
            raise UsageError(f'ContrastiveViews: clip {max(self.clips)} is asked for, but the '
                             f'sampler gives {sampled} (TemporalShiftFrames gives 2)')
        frames = []
        origins = []
        for view, clip in zip(self.views, self.clips):
            shown = slice(clip * length, (clip + 1) * length)
            # copied: Flip works in place, and views share clips
            images = [image.copy() for image in results['imgs'][shown]]
            part = dict(results, num_clips=1, imgs=images)
            if 'frame_inds' in results:
                part['frame_inds'] = results['frame_inds'][shown]
            part, origin = apply_view(view, part)
            frames += list(part['imgs'])
            origins.append(origin)
        results['imgs'] = frames
        results['num_clips'] = len(self.views)
        results['img_shape'] = part['img_shape']
        results['view_origins'] = origins
        return results


def apply_view(view: Sequence[Callable], results: Dict) -> Tuple[Dict, ViewOrigin]:
    """Apply the transforms of a view, and trace where its pixels come from.

    An image of its own coordinates, after the frames, takes part in all that moves pixels.
    """
    size = results['imgs'][0].shape[:2]
    trace = np.dstack(np.indices(size, np.float32))
    untraced = ''
    for step in view:
        name = type(step).__name__
        if name in MOVING:
            results['imgs'] = [*results['imgs'], trace]
        elif name not in STAYING and not untraced:
            untraced = name
        results = step(results)
        if name in MOVING:
            *results['imgs'], trace = results['imgs']
    height, width = trace.shape[:2]
    columns = trace[height // 2, :, 1]
    rows = trace[:, width // 2, 0]
    return results, ViewOrigin(results.get('frame_inds'), columns, rows, untraced)
