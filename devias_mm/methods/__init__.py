"""One paper, one registered recognizer."""
from devias_mm import compat

compat.apply()

from devias_mm.methods.albar import ALBAR
from devias_mm.methods.base import DebiasRecognizer
from devias_mm.methods.be_pretraining import BEContrastive, BETriplet
from devias_mm.methods.devias import DEVIAS
from devias_mm.methods.downstream import FeatureClassifier, FeatureClassifierOptimWrapperConstructor
from devias_mm.methods.dsm import DSM, DSMTriplet
from devias_mm.methods.moco import MoCo
from devias_mm.methods.naive import NaiveRecognizer
from devias_mm.methods.scene_adversarial import SceneAdversarial
from devias_mm.methods.scene_teachers import ClipSceneTeacher, ImageSceneTeacher
from devias_mm.methods.tokens import TokenRecognizer

__all__ = [
    'ALBAR', 'BEContrastive', 'BETriplet', 'ClipSceneTeacher', 'DEVIAS', 'DSM', 'DSMTriplet',
    'DebiasRecognizer', 'FeatureClassifier', 'FeatureClassifierOptimWrapperConstructor',
    'ImageSceneTeacher', 'MoCo', 'NaiveRecognizer', 'SceneAdversarial', 'TokenRecognizer'
]
