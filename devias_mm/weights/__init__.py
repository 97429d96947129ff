"""Checkpoints: reading, checking, converting, and the learning rates of their layers."""
from devias_mm import compat

compat.apply()

from devias_mm.weights.layer_decay import LayerDecayOptimWrapperConstructor

__all__ = ['LayerDecayOptimWrapperConstructor']
