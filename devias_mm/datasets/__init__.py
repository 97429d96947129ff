"""List files, the video dataset and its transforms."""
from . import transforms
from .action_scene_dataset import ActionSceneDataset
from .flow import BackwardFlow
from .frame_folders import FrameFolderDataset
from .hat import HATDataset
from .human_boxes import HumanBoxes, LoadHumanBoxes
from .lists import ListFileError, read_list

__all__ = ['ActionSceneDataset', 'BackwardFlow', 'FrameFolderDataset', 'HATDataset',
           'HumanBoxes', 'ListFileError', 'LoadHumanBoxes', 'read_list', 'transforms']
