"""Contact sheets of what a tool has written."""
import io
from pathlib import Path
from typing import List, Sequence, Tuple, Union

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from devias_mm.builders.puppets.files import write_bytes

_HEIGHT = 128  # of a tile, pixels
_GAP, _MARGIN, _TITLE = 4, 8, 24


def _tile(image: np.ndarray) -> Image.Image:
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, axis=-1)
    picture = Image.fromarray(image)
    width = round(picture.width * _HEIGHT / picture.height)
    # small frames are enlarged without smoothing: seams and specks must be seen
    way = Image.Resampling.NEAREST if picture.height < _HEIGHT else Image.Resampling.BOX
    return picture.resize((width, _HEIGHT), way)


def contact_sheet(path: Union[str, Path], titles: Sequence[str],
                  rows: Sequence[Tuple[str, List[np.ndarray]]]) -> None:
    """Draw rows of pictures under column titles.

    Args:
        path (str or Path): PNG file to write, atomically.
        titles (Sequence[str]): of the columns.
        rows (Sequence[tuple]): name and pictures of each: RGB uint8 ``(H, W, 3)`` or grey
            ``(H, W)``.
    """
    font = ImageFont.load_default(size=12)
    tiles = [[_tile(image) for image in images] for _, images in rows]
    widths = [max(row[column].width for row in tiles if column < len(row))
              for column in range(max(map(len, tiles)))]
    lefts = [_MARGIN + sum(widths[:column]) + column * _GAP for column in range(len(widths) + 1)]
    height = _TITLE + len(rows) * (_HEIGHT + _TITLE) + _MARGIN
    sheet = Image.new('RGB', (lefts[-1] - _GAP + _MARGIN, height), 'white')
    draw = ImageDraw.Draw(sheet)
    for left, title in zip(lefts, titles):
        draw.text((left, 6), title, 'black', font)
    for index, ((name, _), row) in enumerate(zip(rows, tiles)):
        top = _TITLE + index * (_HEIGHT + _TITLE)
        draw.text((_MARGIN, top + 4), name, '#555555', font)
        for left, tile in zip(lefts, row):
            sheet.paste(tile, (left, top + _TITLE))
    buffer = io.BytesIO()
    sheet.save(buffer, 'PNG', optimize=True)
    write_bytes(path, buffer.getvalue())


def spread(length: int, count: int) -> List[int]:
    """At most ``count`` indices, evenly over ``length``, the first and the last among them."""
    return sorted({int(index) for index in np.linspace(0, length - 1, min(count, length))})
