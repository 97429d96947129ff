"""Figures from stored files; no model is touched."""
from devias_mm.visualization.figures import (
    ladder_curves,
    plot_report,
    ranked_bars,
    seen_unseen_scatter,
)

__all__ = ['ladder_curves', 'plot_report', 'ranked_bars', 'seen_unseen_scatter']
