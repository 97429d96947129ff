"""A contact sheet of a written Puppets data set."""
from pathlib import Path
from typing import List, NamedTuple, Tuple, Union

import numpy as np

from devias_mm.builders.media import read_masks, read_video
from devias_mm.builders.puppets.figure import ACTIONS
from devias_mm.builders.puppets.scenes import SCENES
from devias_mm.pictures import Row, contact_sheet


class _Group(NamedTuple):
    """Neighbouring columns that show one clip of a split.

    Attributes:
        split: whose clips are shown.
        titles: of the columns.
        moments: of the clip, in [0, 1), one a column.
        step: through the clips of an action from row to row, so that backdrops vary.
        masks: whether the masks are shown instead of the frames.
    """
    split: str
    titles: Tuple[str, ...]
    moments: Tuple[float, ...]
    step: int
    masks: bool = False


_GROUPS = (
    _Group('seen', ('seen: the scene', 'that goes with', 'the action', 'in training'),
           (0.0, 0.2, 0.4, 0.6), 0),
    _Group('unseen', ('unseen: another', 'scene'), (0.1, 0.45), 2),
    _Group('unseen-texture', ('unseen-texture:', 'never trained on'), (0.1, 0.45), 1),
    _Group('scene-only', ('scene-only', ), (0.0, ), 0),
    _Group('human-only', ('human-only', ), (0.3, ), 0),
    _Group('human-only', ('its true mask', ), (0.3, ), 0, masks=True),
)


def _clips_of(root: Path, split: str, action: int) -> List[str]:
    clips = []
    for line in (root / 'annotations' / f'{split}.txt').read_text().splitlines():
        file, label, _, _ = line.rsplit(maxsplit=3)
        if int(label) == action:
            clips.append(file)
    return clips


def _pictures(root: Path, group: _Group, action: int) -> List[np.ndarray]:
    """Return frames ``(S, S, 3)`` or masks ``(S, S)``, uint8."""
    clips = _clips_of(root, group.split, action)
    clip = clips[action * group.step % len(clips)]
    if group.masks:
        frames = 255 * read_masks(root / 'masks' / Path(clip).with_suffix('.npz'))
    else:
        frames = read_video(root / 'videos' / clip)
    return [frames[int(moment * len(frames))] for moment in group.moments]


def draw_preview(root: Union[str, Path], path: Union[str, Path]) -> None:
    """Draw a contact sheet: one row an action, columns from the test splits.

    Args:
        root: folder of a complete data set.
        path: PNG file to write.
    """
    rows = []
    for action, name in enumerate(ACTIONS):
        pictures = []
        for group in _GROUPS:
            pictures += _pictures(Path(root), group, action)
        rows.append(Row(f'{name} ({SCENES[action]})', pictures))
    titles = []
    for group in _GROUPS:
        titles += group.titles
    # a palette keeps the file small enough for the top of a README
    contact_sheet(path, titles, rows, colours=256)
