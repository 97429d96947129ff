"""Several views of one video, each with crops and flips of its own."""
from typing import Dict, Sequence

from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform, Compose


@TRANSFORMS.register_module()
class ContrastiveViews(BaseTransform):
    """Apply a pipeline of its own to each view (DSM: ``c1, c2, c3``; MoCo: two views).

    MMAction2's transforms treat all frames of ``imgs`` alike; here each view draws its own
    crop, flip and colours, the same for all its frames.

    Required keys: ``imgs`` (the frames of ``num_clips`` clips), ``clip_len``. Changed keys:
    ``imgs`` (the frames of all views), ``num_clips`` (the number of views), ``img_shape``.

    Args:
        views (Sequence[Sequence[dict]]): the transforms of each view.
        clips (Sequence[int]): which of the sampled clips each view is made of.

    Raises:
        ValueError: ``views`` and ``clips`` differ in length, or a clip was not sampled.
    """

    def __init__(self, views: Sequence[Sequence[dict]], clips: Sequence[int]) -> None:
        if len(views) != len(clips):
            raise ValueError(f'ContrastiveViews: {len(views)} views, but {len(clips)} entries in '
                             '`clips`: name the clip of each view')
        self.views = [Compose([TRANSFORMS.build(step) for step in view]) for view in views]
        self.clips = tuple(clips)

    def transform(self, results: Dict) -> Dict:
        """Replace the frames of the clips by those of the views."""
        length, sampled = results['clip_len'], results['num_clips']
        if max(self.clips) >= sampled:
            raise ValueError(f'ContrastiveViews: clip {max(self.clips)} is asked for, but the '
                             f'sampler gives {sampled} (TemporalShiftFrames gives 2)')
        frames = []
        for view, clip in zip(self.views, self.clips):
            part = dict(results, num_clips=1)
            # copied: Flip works in place, and views share clips
            part['imgs'] = [img.copy() for img in
                            results['imgs'][clip * length:(clip + 1) * length]]
            part = view(part)
            frames += list(part['imgs'])
        results.update(imgs=frames, num_clips=len(self.views), img_shape=part['img_shape'])
        return results
