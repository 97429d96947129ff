"""Prediction tables: what a model said about every video of a split."""
from pathlib import Path
from typing import List, Union

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from devias_mm.errors import MissingFileError, UserError
from devias_mm.files import atomic_path

SCHEMA = pa.schema([
    ('video_id', pa.string()),
    ('action_label', pa.int64()),
    ('scene_label', pa.int64()),
    ('background_label', pa.int64()),
    ('action_scores', pa.list_(pa.float32())),
    ('scene_scores', pa.list_(pa.float32())),
    ('error', pa.string()),
])
# of methods with slots: the share of a video's views in which each slot had the role
SLOT_COLUMNS = ('action_slot', 'scene_slot')
# what an unreadable video does to a score
ON_ERROR = ('count-wrong', 'skip', 'fail')


def write_predictions(path: Union[str, Path], rows: List[dict]) -> None:
    """Write a prediction table, atomically.

    Args:
        path (str | Path): the ``.parquet`` file; its folder is made.
        rows (list[dict]): one per video, with the keys of ``SCHEMA``. Labels are
            -1 where there is none; scores are 1-D float arrays of
            probabilities, or ``None`` where not predicted or not readable;
            ``error`` is a str or ``None``. ``SLOT_COLUMNS``, 1-D float arrays
            or ``None``, are written where any row has them.

    Raises:
        KeyError: a row lacks a key.
    """
    schema = SCHEMA
    for name in SLOT_COLUMNS:
        if any(row.get(name) is not None for row in rows):
            schema = schema.append(pa.field(name, pa.list_(pa.float32())))
    columns = {name: [row[name] for row in rows] for name in schema.names}
    with atomic_path(path) as temporary:
        pq.write_table(pa.table(columns, schema=schema), temporary)


def open_predictions(path: Union[str, Path]) -> pq.ParquetFile:
    """Open ``<split>.parquet`` to read it in parts.

    Raises:
        MissingFileError: there is no such file.
        UserError: a column is missing.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFileError(f'prediction table not found: {path}')
    try:
        # a small buffer keeps the scores of a large split out of memory
        file = pq.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UserError(f'{path} is no prediction table, or truncated ({type(error).__name__}): '
                        'test the checkpoint again') from error
    missing = [name for name in SCHEMA.names if name not in file.schema_arrow.names]
    if missing:
        raise UserError(f'{path} lacks the column(s) {", ".join(missing)}; a prediction '
                        f'table has {", ".join(SCHEMA.names)}: test the checkpoint again')
    return file


def read_predictions(path: Union[str, Path]) -> pd.DataFrame:
    """Read ``<split>.parquet``; one row a video, the columns of ``SCHEMA``.

    Raises:
        MissingFileError: there is no such file.
        UserError: a column is missing or a video occurs twice.
    """
    file = open_predictions(path)
    try:
        table = file.read().to_pandas()
    except (pa.ArrowException, OSError) as error:
        raise UserError(f'{path} is damaged ({type(error).__name__}): test the checkpoint '
                        'again') from error
    require_unique(path, table['video_id'])
    return table


def require_unique(path: Union[str, Path], videos: Union[pd.Index, pd.Series]) -> None:
    """Raise a UserError where a table holds a video twice."""
    repeated = videos[videos.duplicated()]
    if len(repeated):
        raise UserError(f'{path} holds video {list(repeated)[0]!r} more than once: '
                        'test the checkpoint again')
