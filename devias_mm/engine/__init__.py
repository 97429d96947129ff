"""Loops, samplers, hooks, prediction tables and the parts of the command lines."""
from devias_mm import compat

compat.apply()

from devias_mm.engine.action_loss_metric import ActionLossMetric
from devias_mm.engine.deferred_log import DeferredRuntimeInfoHook
from devias_mm.engine.determinism import EpochSeedHook, seed_worker
from devias_mm.engine.distinct_images import ResNetOfDistinctImages
from devias_mm.engine.freezing import TrainNewLayersFirst
from devias_mm.engine.loops import ActionValLoop, MultiSplitTestLoop
from devias_mm.engine.metrics import ActionSceneMetric
from devias_mm.engine.runtime import BFloat16OptimWrapper
from devias_mm.engine.samplers import WholeBatchSampler

__all__ = [
    'ActionLossMetric', 'ActionSceneMetric', 'ActionValLoop', 'BFloat16OptimWrapper',
    'DeferredRuntimeInfoHook', 'EpochSeedHook',
    'MultiSplitTestLoop', 'ResNetOfDistinctImages', 'TrainNewLayersFirst', 'WholeBatchSampler',
    'seed_worker'
]
