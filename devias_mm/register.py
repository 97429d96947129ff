"""Register everything that configs name; they import this module by ``custom_imports``."""
from devias_mm import augments, datasets, engine, layers, methods
from devias_mm.weights import layer_decay

__all__ = ['augments', 'datasets', 'engine', 'layer_decay', 'layers', 'methods']
