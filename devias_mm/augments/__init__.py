"""Batch augmentations that any recognizer takes by config."""
from .background_erasing import BackgroundErasing
from .data_preprocessor import DebiasDataPreprocessor
from .fame import FAMEMasks
from .scene_mix import SceneMix, composite

__all__ = ['BackgroundErasing', 'DebiasDataPreprocessor', 'FAMEMasks', 'SceneMix', 'composite']
