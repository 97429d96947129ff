"""One paper, one registered recognizer."""
from .base import DebiasRecognizer
from .devias import DEVIAS
from .naive import NaiveRecognizer
from .tokens import TokenRecognizer

__all__ = ['DEVIAS', 'DebiasRecognizer', 'NaiveRecognizer', 'TokenRecognizer']
