"""A contact sheet of a written Puppets data set."""
import io
from pathlib import Path
from typing import List, NamedTuple, Tuple, Union

import numpy as np

from devias_mm.builders.puppets.figure import ACTIONS
from devias_mm.builders.puppets.files import read_masks, read_video, write_bytes
from devias_mm.builders.puppets.scenes import SCENES

_ZOOM = 2
_GAP, _GROUP_GAP, _MARGIN = 2, 14, 8  # pixels of the sheet
_LABEL_WIDTH, _TITLE_HEIGHT = 66, 44
_COLOURS = 256  # of the palette: keeps the file small enough for the top of a README


class _Group(NamedTuple):
    """Neighbouring columns that show one clip of a split."""
    split: str
    title: str
    subtitle: str
    moments: Tuple[float, ...]  # of the clip, in [0, 1)
    step: int  # through the clips of an action from row to row, so that backdrops vary
    masks: bool = False


_GROUPS = (
    _Group('seen', 'seen', 'the scene that goes with the action in training',
           (0., .2, .4, .6), 0),
    _Group('unseen', 'unseen', 'another scene', (.1, .45), 2),
    _Group('unseen-texture', 'unseen-texture', 'never trained on', (.1, .45), 1),
    _Group('scene-only', 'scene-only', 'no figure', (0., ), 0),
    _Group('human-only', 'human-only', 'grey', (.3, ), 0),
    _Group('human-only', 'true mask', 'of the figure', (.3, ), 0, masks=True),
)


def _clips_of(root: Path, split: str, action: int) -> List[str]:
    lines = (root / 'annotations' / f'{split}.txt').read_text().splitlines()
    fields = (line.rsplit(maxsplit=3) for line in lines)
    return [file for file, label, *_ in fields if int(label) == action]


def _tiles(root: Path, group: _Group, action: int) -> List[np.ndarray]:
    """Frames or masks as RGB uint8 ``(S, S, 3)``."""
    clips = _clips_of(root, group.split, action)
    clip = clips[action * group.step % len(clips)]
    if group.masks:
        masks = 255 * read_masks(root / 'masks' / Path(clip).with_suffix('.npz'))
        frames = np.repeat(masks[..., None], 3, axis=-1)
    else:
        frames = read_video(root / 'videos' / clip)
    return [frames[int(moment * len(frames))] for moment in group.moments]


def draw_preview(root: Union[str, Path], path: Union[str, Path]) -> None:
    """Draw a contact sheet: one row an action, columns from the test splits.

    Args:
        root (str or Path): folder of a complete data set.
        path (str or Path): PNG file to write.
    """
    from matplotlib import font_manager
    from PIL import Image, ImageDraw, ImageFont

    def font(size, weight='normal'):
        properties = font_manager.FontProperties(family='DejaVu Sans', weight=weight)
        return ImageFont.truetype(font_manager.findfont(properties), size)

    root = Path(root)
    rows = [[_tiles(root, group, action) for group in _GROUPS] for action in range(len(ACTIONS))]
    tile = _ZOOM * rows[0][0][0].shape[0]
    lefts, right = [], _MARGIN + _LABEL_WIDTH
    for group in _GROUPS:
        lefts.append(right)
        right += len(group.moments) * (tile + _GAP) - _GAP + _GROUP_GAP
    size = (right - _GROUP_GAP + _MARGIN,
            _TITLE_HEIGHT + len(ACTIONS) * (tile + _GAP) - _GAP + _MARGIN)
    sheet = Image.new('RGB', size, 'white')
    draw = ImageDraw.Draw(sheet)
    for left, group in zip(lefts, _GROUPS):
        draw.text((left, 6), group.title, 'black', font(16, 'bold'))
        draw.text((left, 26), group.subtitle, '#555555', font(12))
    for action, row in enumerate(rows):
        top = _TITLE_HEIGHT + action * (tile + _GAP)
        draw.text((_MARGIN, top + tile // 2), ACTIONS[action], 'black', font(16, 'bold'), 'ls')
        draw.text((_MARGIN, top + tile // 2 + 17), SCENES[action], '#555555', font(12), 'ls')
        for left, tiles in zip(lefts, row):
            for column, pixels in enumerate(tiles):
                image = Image.fromarray(pixels).resize((tile, tile), Image.Resampling.NEAREST)
                sheet.paste(image, (left + column * (tile + _GAP), top))
    buffer = io.BytesIO()
    # every pixel of a tile is there `_ZOOM` times each way: once is enough to find the palette
    small = sheet.resize((size[0] // _ZOOM, size[1] // _ZOOM), Image.Resampling.NEAREST)
    palette = small.quantize(_COLOURS, kmeans=3, dither=Image.Dither.NONE)
    sheet.quantize(palette=palette, dither=Image.Dither.NONE).save(buffer, 'PNG', optimize=True)
    write_bytes(path, buffer.getvalue())
