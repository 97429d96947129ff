"""One look for all figures: colour-blind-safe, readable at the size of a README."""
from pathlib import Path
from typing import Dict, List, Sequence, Tuple

import matplotlib

matplotlib.use('Agg')

import matplotlib.pyplot as plt  # noqa: E402
import seaborn as sns  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

from devias_mm.files import atomic_path  # noqa: E402

GREY = '0.55'
DPI = 110
Style = Tuple[Tuple[float, float, float], str]


def apply_style() -> None:
    """Set matplotlib's defaults."""
    sns.set_theme(context='paper', style='ticks', font_scale=1.1, rc={
        'axes.spines.top': False, 'axes.spines.right': False, 'axes.titlesize': 'medium',
        'pdf.fonttype': 42, 'figure.constrained_layout.use': True})


def method_styles(methods: Sequence[str]) -> Dict[str, Style]:
    """Colour and marker of each method; equal for equal lists of methods."""
    colours = sns.color_palette('colorblind')
    # yellow and light colours of the palette are too faint for thin lines
    colours = [colours[i] for i in (0, 1, 2, 3, 4, 5, 7, 9)]
    markers = 'osD^vPX*'
    return {method: (colours[i % len(colours)], markers[(i + i // len(colours)) % len(markers)])
            for i, method in enumerate(methods)}


def save_figure(figure: Figure, path: Path) -> List[Path]:
    """Write ``<path>.pdf`` and ``<path>.png`` and close the figure; returns the paths."""
    path = Path(path)
    paths = [path.parent / f'{path.name}.{suffix}' for suffix in ('pdf', 'png')]
    for target in paths:
        # without dates and versions equal results give equal files
        dateless = {'CreationDate': None} if target.suffix == '.pdf' else {'Software': None}
        with atomic_path(target) as temporary:
            figure.savefig(temporary, dpi=DPI, metadata=dateless)
    plt.close(figure)
    return paths
