"""Checkpoints of other projects, converted to ours and back (docs/checkpoints.md)."""
from devias_mm.weights.conversion.layouts import LAYOUTS
from devias_mm.weights.conversion.renaming import (
           SOURCES,
           TARGETS,
           Conversion,
           convert,
           detect_kind,
           export,
           unwrap,
)

__all__ = ['LAYOUTS', 'SOURCES', 'TARGETS', 'Conversion', 'convert', 'detect_kind', 'export',
           'unwrap']
