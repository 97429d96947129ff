"""List files: one video a line, read and checked in full before any work starts."""
import math
import os
from typing import List, Optional, Sequence

from mmengine.logging import MMLogger

from devias_mm.errors import ListFileError

LABEL_COLUMNS = ('label', 'scene_label', 'background_label')
SECONDS_COLUMNS = ('start', 'end', 'duration')
COUNT_COLUMN = 'total_frames'
NO_LABEL = -1
BAD_SEGMENTS = ('error', 'skip')


class BadSegmentError(ValueError):
    """A segment that ends before it starts."""


def video_id_of(filename: str, filename_suffix: str = '') -> str:
    """Identity of a video: its name as in the list, without the file suffix."""
    return filename if filename_suffix else os.path.splitext(filename)[0]


def _parse_count(text: str) -> int:
    """Read a number of frames; raises ``ValueError`` unless it is a positive integer."""
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f'{COUNT_COLUMN} is {text!r}, not a positive integer')
    return int(text)


def _parse_seconds(text: str, column: str) -> float:
    """Read a time; raises ``ValueError`` unless it is a finite number of 0 or more."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f'{column} is {text!r}, not a number of seconds')
    return value


def _parse_label(text: str, column: str, limit: Optional[int], lowest: int) -> int:
    """Read one label; raises ``ValueError`` with the accepted values."""
    accepted = f'{lowest}..' + ('' if limit is None else str(limit - 1))
    try:
        value = int(text)
    except ValueError:
        raise ValueError(f'{column} is {text!r}, not an integer ({accepted})') from None
    if value < lowest or (limit is not None and value >= limit):
        raise ValueError(f'{column} {value} is out of range, accepted: {accepted}')
    return value


def _parse_line(text: str, columns: Sequence[str], limits: dict, delimiter: Optional[str],
                filename_prefix: str, filename_suffix: str, lowest_label: int) -> dict:
    """Read one line; raises ``ValueError`` that says what is wrong with it."""
    if '\ufffd' in text:
        raise ValueError('it is not UTF-8 text')
    fields = [field.strip() for field in text.rsplit(delimiter, len(columns) - 1)]
    if len(fields) != len(columns) or not fields[0]:
        raise ValueError(f'{len(fields)} field(s) instead of {len(columns)}')
    named = dict(zip(columns, fields))
    name = named['filename']
    item = dict(filename=filename_prefix + name + filename_suffix,
                # a folder of frames has no suffix to be cut off
                video_id=video_id_of(name, '/' if COUNT_COLUMN in named else filename_suffix))
    for column, field in list(named.items())[1:]:
        if column == COUNT_COLUMN:
            item[column] = _parse_count(field)
        elif column in SECONDS_COLUMNS:
            item[column] = _parse_seconds(field, column)
        else:
            lowest = lowest_label if column == 'label' else NO_LABEL
            item[column] = _parse_label(field, column, limits[column], lowest)
    if 'start' in named:
        # a video may hold several segments
        item['video_id'] += f"@{named['start']}-{named['end']}"
        if item['start'] >= item['end']:
            raise BadSegmentError(f"the segment starts at {named['start']} s and ends at "
                                  f"{named['end']} s")
    return item


def read_list(path: str,
              columns: Sequence[str],
              num_classes: Optional[int] = None,
              num_scene_classes: Optional[int] = None,
              filename_suffix: str = '',
              allow_no_action: bool = False,
              filename_prefix: str = '',
              delimiter: Optional[str] = None,
              bad_segments: str = 'error') -> List[dict]:
    """Read a list file and check every line of it.

    A line holds ``len(columns)`` fields separated by blanks; it is split from
    the right, because file names may hold blanks. Lines without any text are
    skipped.

    ========================  ====================================================
    list                      columns
    ========================  ====================================================
    UCF-101, Kinetics-400,    ``filename label``
    HMDB-51, Diving48, SSv2
    HVU                       ``filename label scene_label``, suffix ``.mp4``
    SCUBA, HAT                ``filename total_frames label`` (folders of frames)
    ActivityNet               ``filename start end duration label``, prefix ``v_``
    Places365                 ``filename label``, delimiter ``,``
    ========================  ====================================================

    Args:
        path (str): the list file.
        columns (Sequence[str]): names of the fields; the first is
            ``'filename'``, the others among ``'label'``, ``'scene_label'``,
            ``'background_label'``, ``'total_frames'`` (the name is that of a folder
            of frames), ``'start'``, ``'end'`` and ``'duration'`` (seconds; the first
            two together, the item is a part of a video).
        num_classes (int, optional): number of action classes; bounds
            ``label`` and ``background_label``.
        num_scene_classes (int, optional): number of scene classes.
        filename_suffix (str): what the dataset adds to a listed name to get
            the file, for lists of bare identifiers (HVU). Defaults to ``''``.
        allow_no_action (bool): whether ``label`` may be -1 (no action to be
            seen; for test splits only). The other labels always may.
        filename_prefix (str): what is put in front of a listed name to get
            the file; no part of the identity. Defaults to ``''``.
        delimiter (str, optional): what separates the fields. Defaults to
            blanks.
        bad_segments (str): what a segment with ``start >= end`` is: an
            ``'error'``, or ``'skip'``: left out, and its line logged (eight rows of the
            published ActivityNet training list are of that kind).
            Defaults to ``'error'``.

    Returns:
        list[dict]: for each video ``filename`` (as in the list, with prefix and
        suffix), ``video_id`` (the listed name; of a segment ``name@start-end``),
        one int for each label column and for ``total_frames``, and floats for
        the seconds.

    Raises:
        ListFileError: the file is missing or empty, a line is not UTF-8, has a wrong number
            of fields, a label is no integer or out of range, a number of frames
            or seconds is none, a segment is empty, or two lines
            name the same video. The message names file, line and remedy.
    """
    columns = tuple(columns)
    known = (*LABEL_COLUMNS, *SECONDS_COLUMNS, COUNT_COLUMN)
    if columns[:1] != ('filename', ) or set(columns[1:]) - set(known) \
            or ('start' in columns) != ('end' in columns):
        raise ListFileError(f"columns must be 'filename' and then some of {known}, `start` and "
                            f'`end` only together, got {columns}.')
    if bad_segments not in BAD_SEGMENTS:
        raise ListFileError(f'bad_segments={bad_segments!r} is unknown, accepted: {BAD_SEGMENTS}.')
    if not os.path.isfile(path):
        raise ListFileError(
            f'list file not found: {path}. Prepare the dataset, or point `data_root` and '
            '`ann_file` of the dataset config (configs/_base_/datasets) to where it is.')
    limits = dict(label=num_classes, background_label=num_classes,
                  scene_label=num_scene_classes)
    separator = 'blanks' if delimiter is None else repr(delimiter)
    items, seen, skipped = [], {}, []
    with open(path, encoding='utf-8', errors='replace') as file:
        for number, line in enumerate(file, start=1):
            text = line.strip()
            if not text:
                continue
            try:
                item = _parse_line(text, columns, limits, delimiter, filename_prefix,
                                   filename_suffix, NO_LABEL if allow_no_action else 0)
                first = seen.setdefault(item['video_id'], number)
                if first != number:
                    raise ValueError(f"video {item['video_id']!r} was already listed in "
                                     f'line {first}')
            except ValueError as error:
                if isinstance(error, BadSegmentError) and bad_segments == 'skip':
                    skipped.append(f'{number} ({text})')
                    continue
                hint = ', or leave such lines out with `bad_segments=\'skip\'`' \
                    if isinstance(error, BadSegmentError) else ''
                raise ListFileError(
                    f'{path}, line {number}: {error}. The line: {text!r}. Expected: '
                    f'`{(delimiter or " ").join(columns)}`, separated by {separator}, one video a '
                    'line. Mend the line, or the `columns` and class numbers of the dataset '
                    f'config{hint}.') from None
            items.append(item)
    if skipped:
        MMLogger.get_current_instance().warning(
            f'{path}: {len(skipped)} segments that end before they start are left out, line(s) '
            f'{", ".join(skipped)}.')
    if not items:
        raise ListFileError(f'{path} lists no video. Expected lines: `{" ".join(columns)}`.')
    return items
