"""Pictures of the seen and unseen combinations of a data set."""
import io
from pathlib import Path
from typing import Dict, Union

import numpy as np

from devias_mm.builders.hvu import HvuSplits
from devias_mm.builders.media import read_frames
from devias_mm.builders.preview import contact_sheet, spread
from devias_mm.builders.puppets.files import write_bytes


def draw_pairs(path: Union[str, Path], splits: HvuSplits, videos: Dict[str, Path]) -> None:
    """Three frames of videos of each split, with their combination and its training videos.

    Args:
        path (str or Path): PNG file.
        splits (HvuSplits): of ``split_combinations``.
        videos (dict[str, Path]): file of each video.
    """
    rows = []
    for name, clips in (('seen', splits.seen), ('unseen', splits.unseen)):
        for clip in (clips[index] for index in spread(len(clips), 4)):
            frames = read_frames(videos[clip.name])
            rows.append((f'{name}: action {clip.action}, scene {clip.scene}, '
                         f'{splits.frequency.get(clip.pair, 0)} training videos: {clip.name}',
                         [frames[index] for index in spread(len(frames), 3)]))
    contact_sheet(path, ['first frame', 'middle', 'last'], rows)


def draw_frequencies(path: Union[str, Path], splits: HvuSplits) -> None:
    """How many training videos each combination has, and which ones the splits hold.

    Args:
        path (str or Path): PNG file.
        splits (HvuSplits): of ``split_combinations``.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    pairs = {*splits.frequency, *(clip.pair for clip in (*splits.seen, *splits.unseen))}
    actions, scenes = (sorted(set(values)) for values in zip(*pairs))
    row = {scene: index for index, scene in enumerate(scenes)}
    column = {action: index for index, action in enumerate(actions)}
    counts = np.zeros((len(scenes), len(actions)))
    for (action, scene), count in splits.frequency.items():
        counts[row[scene], column[action]] = count
    figure = Figure(figsize=(min(4 + .2 * len(actions), 40), min(2.5 + .2 * len(scenes), 40)),
                    layout='constrained')
    axes = figure.add_subplot()
    image = axes.imshow(np.log10(1 + counts), cmap='Greys', aspect='auto')
    figure.colorbar(image, label='log10(1 + training videos)')
    for name, clips, marker, colour in (('seen', splits.seen, 'o', 'tab:blue'),
                                        ('unseen', splits.unseen, 'x', 'tab:red')):
        marked = sorted({clip.pair for clip in clips})
        axes.scatter([column[action] for action, _ in marked], [row[scene] for _, scene in marked],
                     marker=marker, c=colour, s=16, label=f'{name}: {len(clips)} videos')
    for axis, values, name in ((axes.xaxis, actions, 'action'), (axes.yaxis, scenes, 'scene')):
        shown = spread(len(values), 20)
        axis.set_ticks(shown, [values[index] for index in shown])
        axis.set_label_text(name)
    figure.legend(loc='outside upper left', ncols=2)
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer)
    write_bytes(path, buffer.getvalue())
