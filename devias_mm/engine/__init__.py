"""Loops, samplers, hooks, prediction tables and the parts of the command lines."""
from .action_loss_metric import ActionLossMetric
from .checkpoints import CheckpointError
from .deferred_log import DeferredRuntimeInfoHook
from .determinism import EpochSeedHook, seed_worker
from .layer_decay import LayerDecayOptimWrapperConstructor
from .loops import ActionValLoop, MultiSplitTestLoop
from .metrics import ActionSceneMetric
from .prediction_table import read_predictions, write_predictions
from .runtime import BFloat16OptimWrapper
from .samplers import WholeBatchSampler

__all__ = [
    'ActionLossMetric', 'ActionSceneMetric', 'ActionValLoop', 'BFloat16OptimWrapper',
    'CheckpointError', 'DeferredRuntimeInfoHook', 'EpochSeedHook',
    'LayerDecayOptimWrapperConstructor', 'MultiSplitTestLoop', 'WholeBatchSampler',
    'read_predictions', 'seed_worker', 'write_predictions'
]
