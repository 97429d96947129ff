"""Dealing test videos to processes."""
from typing import Iterator, List

from mmaction.registry import DATA_SAMPLERS
from mmengine.dist import get_dist_info
from torch.utils.data import Sampler


@DATA_SAMPLERS.register_module()
class WholeBatchSampler(Sampler):
    """A batch sampler that deals whole batches, in list order, to the processes.

    The batches are those of one process (videos ``0..b-1``, ``b..2b-1``, ...); process
    ``r`` of ``w`` takes the batches ``r, r + w, ...``. No video is repeated to make the
    shares even, and as the composition of a batch does not depend on the
    number of processes, neither does any bit of the scores.

    Args:
        sampler (Sampler): gives the dataset; its order is not used.
        batch_size (int): videos per batch, at least 1.
    """

    def __init__(self, sampler: Sampler, batch_size: int) -> None:
        if batch_size < 1:
            raise ValueError(f'batch_size must be at least 1, got {batch_size}.')
        self.rank, self.world_size = get_dist_info()
        self.num_videos, self.batch_size = len(sampler.dataset), batch_size

    def _starts(self) -> range:
        return range(self.rank * self.batch_size, self.num_videos,
                     self.world_size * self.batch_size)

    def __iter__(self) -> Iterator[List[int]]:
        for start in self._starts():
            yield list(range(start, min(start + self.batch_size, self.num_videos)))

    def __len__(self) -> int:
        """Number of batches of this process."""
        return len(self._starts())
