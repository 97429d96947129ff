"""One paper, one registered recognizer."""
from .albar import ALBAR
from .base import DebiasRecognizer
from .devias import DEVIAS
from .downstream import FeatureClassifier, FeatureClassifierOptimWrapperConstructor
from .dsm import DSM, DSMTriplet
from .moco import MoCo
from .naive import NaiveRecognizer
from .scene_adversarial import SceneAdversarial
from .scene_teachers import ClipSceneTeacher, ImageSceneTeacher
from .tokens import TokenRecognizer

__all__ = [
    'ALBAR', 'ClipSceneTeacher', 'DEVIAS', 'DSM', 'DSMTriplet', 'DebiasRecognizer',
    'FeatureClassifier', 'FeatureClassifierOptimWrapperConstructor', 'ImageSceneTeacher',
    'MoCo', 'NaiveRecognizer', 'SceneAdversarial', 'TokenRecognizer'
]
