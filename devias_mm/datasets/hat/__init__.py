"""HAT (NeurIPS 2022): what is left of a bias when person and background are taken apart."""
from .dataset import HATDataset
from .fill_background import FillBackground
from .layout import LAYOUTS, Frames, Layout
from .sampling import SampleFramesDEVIAS, SampleFramesHAT
from .sources import ActionSwapClip, HumanOnlyClip

__all__ = ['ActionSwapClip', 'FillBackground', 'Frames', 'HATDataset', 'HumanOnlyClip', 'LAYOUTS',
           'Layout', 'SampleFramesDEVIAS', 'SampleFramesHAT']
