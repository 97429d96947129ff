"""Lets the tests of the methods share `tiny_models.py`."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
