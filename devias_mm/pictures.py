"""Images on disk: reading, encoding, and contact sheets of what a tool has made."""
import io
import os
from pathlib import Path
from typing import List, NamedTuple, Optional, Sequence, Union

import cv2
import numpy as np

from devias_mm.errors import UserError
from devias_mm.files import write_bytes

#: reads RGB at once; from OpenCV 4.11 on, and cheaper than swapping channels afterwards
_DECODE_RGB = getattr(cv2, 'IMREAD_COLOR_RGB', None)
#: 4:4:4, so that the colour of a figure does not bleed over its outline
_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 95,
         cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
_GAP, _MARGIN, _TITLE = 4, 8, 24  # of a contact sheet, pixels


class ImageReadError(UserError, OSError):
    """An image file is missing or cannot be decoded; ``reason`` says which."""

    __str__ = ValueError.__str__

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f'{path} {reason}: replace or remove it.')
        self.path = path
        self.reason = reason

    @property
    def short(self) -> str:
        """What happened, without the folder: for a message that names the video."""
        return f'frame {os.path.basename(self.path)} {self.reason}'

    def __reduce__(self):
        return type(self), (self.path, self.reason)  # to cross a process border


def read_image(path: Union[str, Path], grey: bool = False) -> np.ndarray:
    """Read an image, uint8 RGB ``(H, W, 3)``, or ``(H, W)`` where ``grey``.

    The orientation that a camera noted in the file is ignored, as the published loaders do.

    Raises:
        ImageReadError: there is no such file, or it cannot be decoded.
    """
    path = os.fspath(path)
    if grey:
        flag = cv2.IMREAD_GRAYSCALE
    else:
        flag = _DECODE_RGB or cv2.IMREAD_COLOR
    image = cv2.imread(path, flag | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        if os.path.isfile(path):
            raise ImageReadError(path, 'cannot be decoded')
        raise ImageReadError(path, 'is missing')
    if not grey and _DECODE_RGB is None:
        cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=image)
    return image


def encode_image(image: np.ndarray, suffix: str) -> bytes:
    """Return an image as the bytes of a file.

    Args:
        image: RGB uint8 ``(H, W, 3)``, or grey ``(H, W)``.
        suffix: ``'.jpg'`` or ``'.png'``.
    """
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    options = []
    if suffix == '.jpg':
        options = _JPEG
    ok, data = cv2.imencode(suffix, image, options)
    if not ok:
        raise UserError(f'OpenCV cannot write {suffix} files here: install `opencv-python`.')
    return data.tobytes()


def spread(length: int, count: int) -> List[int]:
    """Return at most ``count`` indices, evenly over ``length``, with the first and the last."""
    places = np.linspace(0, length - 1, min(count, length))
    return sorted({int(place) for place in places})


class Row(NamedTuple):
    """A row of a contact sheet: its name, and pictures, uint8 ``(H, W, 3)`` or grey ``(H, W)``."""
    name: str
    pictures: List[np.ndarray]


def contact_sheet(path: Union[str, Path], titles: Sequence[str], rows: Sequence[Row],
                  height: int = 128, colours: Optional[int] = None) -> None:
    """Draw rows of pictures under column titles.

    Args:
        path: PNG file to write, atomically.
        titles: of the columns, from the left; there may be fewer than pictures.
        rows: what to draw.
        height: of a picture on the sheet, in pixels.
        colours: size of the palette, for a smaller file; default: all colours.

    Example::

        contact_sheet('sheet.png', ['frame', 'mask'], [Row('video 1', [frame, mask])])
    """
    from PIL import Image, ImageDraw, ImageFont
    font = ImageFont.load_default(size=12)
    tiles = []
    for row in rows:
        tiles.append([_tile(picture, height) for picture in row.pictures])
    lefts = _column_edges(tiles)
    width = lefts[-1] - _GAP + _MARGIN
    row_height = height + _TITLE
    sheet_height = _TITLE + len(rows) * row_height + _MARGIN
    sheet = Image.new('RGB', (width, sheet_height), 'white')
    draw = ImageDraw.Draw(sheet)
    for left, title in zip(lefts, titles):
        draw.text((left, 6), title, 'black', font)
    top = _TITLE
    for row, row_tiles in zip(rows, tiles):
        draw.text((_MARGIN, top + 4), row.name, '#555555', font)
        for left, tile in zip(lefts, row_tiles):
            sheet.paste(tile, (left, top + _TITLE))
        top += height + _TITLE
    if colours is not None:
        sheet = sheet.quantize(colours, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    sheet.save(buffer, 'PNG', optimize=True)
    write_bytes(path, buffer.getvalue())


def _tile(picture: np.ndarray, height: int):
    """Return a picture as a PIL image of some height."""
    from PIL import Image
    if picture.ndim == 2:
        picture = np.repeat(picture[..., None], 3, axis=-1)
    image = Image.fromarray(picture)
    width = max(1, round(image.width * height / image.height))
    way = Image.Resampling.BOX
    if image.height < height:
        # small frames are enlarged without smoothing: seams and specks must be seen
        way = Image.Resampling.NEAREST
    return image.resize((width, height), way)


def _column_edges(tiles: Sequence[Sequence]) -> List[int]:
    """Return where the columns begin, and where one more would; as wide as their widest tile."""
    widths: List[int] = []
    for row in tiles:
        for column, tile in enumerate(row):
            if column == len(widths):
                widths.append(0)
            widths[column] = max(widths[column], tile.width)
    edges = [_MARGIN]
    for width in widths:
        edges.append(edges[-1] + width + _GAP)
    return edges
