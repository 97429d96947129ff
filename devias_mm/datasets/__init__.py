"""List files, the video dataset and its transforms."""
from . import transforms
from .action_scene_dataset import ActionSceneDataset
from .lists import ListFileError, read_list

__all__ = ['ActionSceneDataset', 'ListFileError', 'read_list', 'transforms']
