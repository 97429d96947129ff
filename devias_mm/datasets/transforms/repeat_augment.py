"""Repeated augmentation: several samples of one decoded clip."""
from typing import Dict, List, Sequence

from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform
from mmengine.dataset import Compose


@TRANSFORMS.register_module()
class RepeatAugment(BaseTransform):
    """Augment a clip several times and return that many samples (Hoffer et al., 2020).

    The video is decoded once. The samples are entries of the batch like any other, each with
    its own crop, masks and data sample and all with the labels of the video: a loader with
    ``batch_size=B`` gives batches of ``B * repeats`` clips. Of the loader it needs
    ``collate_fn=dict(type='repeat_pseudo_collate')``, which is MMAction2's; its own
    ``RepeatAugDataset`` has no scene labels, masks or identities. For training only.

    Args:
        transforms (Sequence[dict]): what follows ``ReadClip``, up to ``PackActionInputs``.
        repeats (int): samples of a video. Defaults to 2.

    Raises:
        ValueError: ``repeats`` is less than 1.
    """

    def __init__(self, transforms: Sequence[dict], repeats: int = 2) -> None:
        if repeats < 1:
            raise ValueError(f'RepeatAugment: repeats must be at least 1, got {repeats}')
        self.repeats = repeats
        self.transforms = Compose([
            TRANSFORMS.build(step) if isinstance(step, dict) else step for step in transforms])

    def transform(self, results: Dict) -> List[Dict]:
        """Run the transforms ``repeats`` times, on copies: some of them work in place."""
        return [self.transforms(dict(results, imgs=[image.copy() for image in results['imgs']]))
                for _ in range(self.repeats)]
