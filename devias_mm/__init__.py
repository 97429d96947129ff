"""devias_mm: scene-debiasing methods for action recognition under one protocol."""
from devias_mm import compat

compat.apply()

from devias_mm import augments, datasets, engine, layers, methods  # noqa: E402,F401

__version__ = '0.1.0'
