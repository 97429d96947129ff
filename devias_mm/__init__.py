"""devias_mm: scene-debiasing methods for action recognition under one protocol."""
__version__ = '0.1.0'
