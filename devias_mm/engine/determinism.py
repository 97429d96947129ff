"""An epoch depends only on the state at its start.

A training that was killed and resumed from its last epoch then ends with the
same weights, bit by bit, as one that never stopped.
"""
import random

import numpy as np
import torch
from mmaction.registry import HOOKS
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.registry import FUNCTIONS


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Seed Python, NumPy and PyTorch from (seed, epoch, rank) as an epoch starts.

    The loader's workers draw their seeds from PyTorch's generator when the epoch
    starts, so they follow, given ``worker_init_fn=dict(type='seed_worker')``
    (MMEngine's own one gives workers that live for one epoch the same
    augmentations in every epoch) and ``persistent_workers=False``.
    """

    priority = 'VERY_HIGH'

    def before_train(self, runner) -> None:
        """Warn where the loader's workers outlive an epoch."""
        loader = runner.train_dataloader
        if loader.num_workers and loader.persistent_workers:
            runner.logger.warning(
                'train_dataloader has persistent_workers=True: random numbers of the loader '
                'then depend on earlier epochs, and a resumed training will differ from an '
                'uninterrupted one. Set persistent_workers=False.')

    def before_train_epoch(self, runner) -> None:
        """Seed all generators of this process."""
        state = np.random.SeedSequence((runner.seed, runner.epoch, get_rank()))
        seed = int(state.generate_state(1)[0])
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)


@FUNCTIONS.register_module()
def seed_worker(worker_id: int) -> None:
    """Seed Python and NumPy in a loader's worker from the worker's PyTorch seed.

    That seed is drawn by the loader at the start of an iteration, plus ``worker_id``.
    """
    seed = torch.initial_seed() % 2**32
    random.seed(seed)
    np.random.seed(seed)
