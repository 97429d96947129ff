"""Register everything that configs name; they import this module by ``custom_imports``."""
from devias_mm import augments, datasets, engine, layers, methods, weights

__all__ = ['augments', 'datasets', 'engine', 'layers', 'methods', 'weights']
