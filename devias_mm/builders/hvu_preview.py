"""Pictures of the seen and unseen combinations of a data set."""
import io
from pathlib import Path
from typing import Dict, Sequence, Union

import numpy as np

from devias_mm.builders.hvu import Clip, HvuSplits
from devias_mm.builders.media import read_frames
from devias_mm.files import write_bytes
from devias_mm.pictures import Row, contact_sheet, spread


def draw_pairs(path: Union[str, Path], splits: HvuSplits, videos: Dict[str, Path]) -> None:
    """Draw three frames of videos of each split, with their combination and its training videos.

    Args:
        path: PNG file.
        splits: of ``split_combinations``.
        videos: file of each video.
    """
    rows = []
    for split, clips in (('seen', splits.seen), ('unseen', splits.unseen)):
        for index in spread(len(clips), 4):
            clip = clips[index]
            training = splits.frequency.get(clip.pair, 0)
            name = (f'{split}: action {clip.action}, scene {clip.scene}, '
                    f'{training} training videos: {clip.name}')
            frames = read_frames(videos[clip.name])
            pictures = [frames[t] for t in spread(len(frames), 3)]
            rows.append(Row(name, pictures))
    contact_sheet(path, ['first frame', 'middle', 'last'], rows)


def draw_frequencies(path: Union[str, Path], splits: HvuSplits) -> None:
    """Draw how many training videos each combination has, and which ones the splits hold.

    Args:
        path: PNG file.
        splits: of ``split_combinations``.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    pairs = set(splits.frequency)
    pairs.update(clip.pair for clip in splits.seen + splits.unseen)
    actions = sorted({action for action, _ in pairs})
    scenes = sorted({scene for _, scene in pairs})
    counts = np.zeros((len(scenes), len(actions)))
    for (action, scene), count in splits.frequency.items():
        counts[scenes.index(scene), actions.index(action)] = count
    width = min(4 + 0.2 * len(actions), 40)
    height = min(2.5 + 0.2 * len(scenes), 40)
    figure = Figure(figsize=(width, height), layout='constrained')
    axes = figure.add_subplot()
    image = axes.imshow(np.log10(1 + counts), cmap='Greys', aspect='auto')
    figure.colorbar(image, label='log10(1 + training videos)')

    def mark(name: str, clips: Sequence[Clip], marker: str, colour: str) -> None:
        marked = sorted({clip.pair for clip in clips})
        columns = [actions.index(action) for action, _ in marked]
        rows = [scenes.index(scene) for _, scene in marked]
        label = f'{name}: {len(clips)} videos'
        axes.scatter(columns, rows, marker=marker, c=colour, s=16, label=label)

    mark('seen', splits.seen, 'o', 'tab:blue')
    mark('unseen', splits.unseen, 'x', 'tab:red')
    _label_axis(axes.xaxis, 'action', actions)
    _label_axis(axes.yaxis, 'scene', scenes)
    figure.legend(loc='outside upper left', ncols=2)
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer)
    write_bytes(path, buffer.getvalue())


def _label_axis(axis, name: str, values: Sequence[int]) -> None:
    shown = spread(len(values), 20)
    axis.set_ticks(shown, [values[index] for index in shown])
    axis.set_label_text(name)
