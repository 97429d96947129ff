"""Loops, samplers, hooks, prediction tables and the parts of the command lines."""
from .checkpoints import CheckpointError
from .determinism import EpochSeedHook, seed_worker
from .layer_decay import LayerDecayOptimWrapperConstructor
from .loops import ActionValLoop, MultiSplitTestLoop
from .metrics import ActionSceneMetric
from .prediction_table import read_predictions, write_predictions
from .samplers import WholeBatchSampler

__all__ = [
    'ActionSceneMetric', 'ActionValLoop', 'CheckpointError', 'EpochSeedHook',
    'LayerDecayOptimWrapperConstructor', 'MultiSplitTestLoop', 'WholeBatchSampler',
    'read_predictions', 'seed_worker', 'write_predictions'
]
