"""HAT (NeurIPS 2022): what is left of a bias when person and background are taken apart."""
from devias_mm.datasets.hat.dataset import HATDataset
from devias_mm.datasets.hat.layout import LAYOUTS, Frames, Layout
from devias_mm.datasets.hat.sampling import SampleFramesDEVIAS, SampleFramesHAT
from devias_mm.datasets.hat.sources import ActionSwapClip, HumanOnlyClip

__all__ = ['ActionSwapClip', 'Frames', 'HATDataset', 'HumanOnlyClip', 'LAYOUTS', 'Layout',
           'SampleFramesDEVIAS', 'SampleFramesHAT']
