"""Checkpoints of other projects, converted to ours and back (docs/checkpoints.md)."""
from .layouts import LAYOUTS
from .renaming import SOURCES, TARGETS, Conversion, convert, detect_kind, export, unwrap

__all__ = ['LAYOUTS', 'SOURCES', 'TARGETS', 'Conversion', 'convert', 'detect_kind', 'export',
           'unwrap']
