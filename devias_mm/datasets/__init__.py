"""List files, the video dataset and its transforms."""
from devias_mm import compat

compat.apply()

from devias_mm.datasets import transforms
from devias_mm.datasets.action_scene_dataset import ActionSceneDataset
from devias_mm.datasets.flow import BackwardFlow
from devias_mm.datasets.frame_folders import FrameFolderDataset
from devias_mm.datasets.hat import HATDataset
from devias_mm.datasets.human_boxes import HumanBoxes, LoadHumanBoxes
from devias_mm.datasets.lists import read_list
from devias_mm.errors import ListFileError

__all__ = ['ActionSceneDataset', 'BackwardFlow', 'FrameFolderDataset', 'HATDataset',
           'HumanBoxes', 'ListFileError', 'LoadHumanBoxes', 'read_list', 'transforms']
