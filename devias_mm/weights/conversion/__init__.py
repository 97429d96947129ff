"""Checkpoints of other projects, converted to ours and back (docs/checkpoints.md)."""
from devias_mm.weights.conversion.completeness import check_complete
from devias_mm.weights.conversion.detection import detect_kind, unwrap
from devias_mm.weights.conversion.renaming import Conversion, convert, export
from devias_mm.weights.layouts import LAYOUTS, SOURCES, TARGETS

__all__ = ['LAYOUTS', 'SOURCES', 'TARGETS', 'Conversion', 'check_complete', 'convert',
           'detect_kind', 'export', 'unwrap']
