"""List files: one video a line, read and checked in full before any work starts."""
import math
import os
import re
from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence, Tuple

from mmengine.logging import MMLogger

from devias_mm.errors import ListFileError, UserError
from devias_mm.files import check_name

LABEL_COLUMNS = ('label', 'scene_label', 'background_label')
SECONDS_COLUMNS = ('start', 'end', 'duration')
COUNT_COLUMN = 'total_frames'
NO_LABEL = -1
BAD_SEGMENTS = ('error', 'skip')
#: no list has a larger label, number of frames or number of seconds; NumPy's integers hold it
LARGEST = 10**9
# `int` would also take blanks, underscores, a plus and the digits of other scripts
INTEGER = re.compile(r'-?[0-9]{1,10}')


class BadSegmentError(ValueError):
    """A segment that ends before it starts."""


def video_id_of(filename: str, filename_suffix: str = '') -> str:
    """Return the identity of a video: its name as in the list, without the file suffix."""
    if filename_suffix:
        return filename
    return os.path.splitext(filename)[0]


def read_list(path: str,
              columns: Sequence[str],
              num_classes: Optional[int] = None,
              num_scene_classes: Optional[int] = None,
              filename_suffix: str = '',
              allow_no_action: bool = False,
              filename_prefix: str = '',
              delimiter: Optional[str] = None,
              bad_segments: str = 'error',
              allow_outside: bool = False) -> List[dict]:
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
        path: the list file.
        columns: names of the fields; the first is ``'filename'``, the others among
            ``'label'``, ``'scene_label'``, ``'background_label'``, ``'total_frames'`` (the name
            is that of a folder of frames), ``'start'``, ``'end'`` and ``'duration'`` (seconds;
            the first two together, the item is a part of a video).
        num_classes: number of action classes; bounds ``label`` and ``background_label``.
        num_scene_classes: number of scene classes.
        filename_suffix: what the dataset adds to a listed name to get the file, for lists of
            bare identifiers (HVU).
        allow_no_action: whether ``label`` may be -1 (no action to be seen; for test splits
            only). The other labels always may.
        filename_prefix: what is put in front of a listed name to get the file; no part of the
            identity.
        delimiter: what separates the fields. Defaults to blanks.
        bad_segments: what a segment with ``start >= end`` is: an ``'error'``, or ``'skip'``:
            left out, and its line logged (eight rows of the published ActivityNet training list
            are of that kind).
        allow_outside: whether names may be absolute or lead out of the data root by ``..``.

    Returns:
        list[dict]: for each video ``filename`` (as in the list, with prefix and suffix),
        ``video_id`` (the listed name; of a segment ``name@start-end``), ``line`` (its number,
        from 1), one int for each label column and for ``total_frames``, and floats for the
        seconds.

    Raises:
        ListFileError: the file is missing or empty, a line is not UTF-8 or has a wrong number of
            fields, a name leads out of the data root, a label is no integer or out of range, a
            number of frames or seconds is none, a segment is empty, or two lines name the same
            video. The message names file, line and remedy.

    Example::

        >>> items = read_list('data/ucf101/annotations/train.csv', ('filename', 'label'), 101)
        >>> items[0]
        {'filename': 'ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi', 'label': 0, 'line': 1,
         'video_id': 'ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01'}
    """
    form = ListFormat(tuple(columns), num_classes, num_scene_classes, filename_suffix,
                      allow_no_action, filename_prefix, delimiter, allow_outside)
    form.check()
    if bad_segments not in BAD_SEGMENTS:
        raise ListFileError(f'bad_segments={bad_segments!r} is unknown, accepted: {BAD_SEGMENTS}.')
    items: List[dict] = []
    first_lines: Dict[str, int] = {}
    skipped: List[str] = []
    for number, text in read_lines(path):
        try:
            item = form.parse(text)
            first = first_lines.setdefault(item['video_id'], number)
            if first != number:
                raise ValueError(f"video {item['video_id']!r} was already listed in line {first}")
        except BadSegmentError as error:
            if bad_segments == 'error':
                raise form.error(path, number, text, error,
                                 "leave such lines out with `bad_segments='skip'`") from None
            skipped.append(f'{number} ({text})')
            continue
        except UserError as error:
            raise form.error(path, number, text, error,
                             'set `allow_outside=True` of the dataset') from None
        except ValueError as error:
            raise form.error(path, number, text, error) from None
        item['line'] = number
        items.append(item)
    if skipped:
        MMLogger.get_current_instance().warning(
            f'{path}: {len(skipped)} segments that end before they start are left out, line(s) '
            f'{", ".join(skipped)}.')
    if not items:
        raise ListFileError(f'{path} lists no video. Expected lines: `{" ".join(columns)}`.')
    return items


def read_lines(path: str) -> List[Tuple[int, str]]:
    """Read the lines of a list that hold any text, stripped, with their numbers from 1.

    What is not UTF-8 becomes U+FFFD; a mark of the byte order at the beginning is left out.

    Raises:
        ListFileError: there is no such file.
    """
    if not os.path.isfile(path):
        raise ListFileError(
            f'list file not found: {path}. Prepare the dataset, or point `data_root` and '
            '`ann_file` of the dataset config (configs/_base_/datasets) to where it is.')
    lines = []
    with open(path, encoding='utf-8-sig', errors='replace') as file:
        for number, line in enumerate(file, start=1):
            text = line.strip()
            if text:
                lines.append((number, text))
    return lines


@dataclass(frozen=True)
class ListFormat:
    """How a line of a list is read; the attributes are the arguments of :func:`read_list`."""
    columns: Tuple[str, ...]
    num_classes: Optional[int]
    num_scene_classes: Optional[int]
    filename_suffix: str
    allow_no_action: bool
    filename_prefix: str
    delimiter: Optional[str]
    allow_outside: bool

    def check(self) -> None:
        """Check the columns.

        Raises:
            ListFileError: the columns are unknown, or do not go together.
        """
        known = (*LABEL_COLUMNS, *SECONDS_COLUMNS, COUNT_COLUMN)
        unknown = set(self.columns[1:]) - set(known)
        half_a_segment = ('start' in self.columns) != ('end' in self.columns)
        if self.columns[:1] != ('filename', ) or unknown or half_a_segment:
            raise ListFileError(f"columns must be 'filename' and then some of {known}, `start` "
                                f'and `end` only together, got {self.columns}.')

    def parse(self, text: str) -> dict:
        """Read one line.

        Raises:
            ValueError: a field is wrong.
            BadSegmentError: the segment is empty.
            UserError: the name leads out of the data root.
        """
        if '\ufffd' in text:
            raise ValueError('it is not UTF-8 text')
        fields = [field.strip() for field in text.rsplit(self.delimiter, len(self.columns) - 1)]
        if len(fields) != len(self.columns) or not fields[0]:
            raise ValueError(f'{len(fields)} field(s) instead of {len(self.columns)}')
        named = dict(zip(self.columns, fields))
        name = named.pop('filename')
        # a folder of frames has no suffix to be cut off
        suffix = '/' if COUNT_COLUMN in named else self.filename_suffix
        item = dict(filename=self.filename_prefix + name + self.filename_suffix,
                    video_id=video_id_of(name, suffix))
        for path in (name, item['filename']):
            check_name(path, self.allow_outside)
        for column, field in named.items():
            item[column] = self._value(column, field)
        if 'start' in named:
            # a video may hold several segments
            item['video_id'] += f"@{named['start']}-{named['end']}"
            if item['start'] >= item['end']:
                raise BadSegmentError(f"the segment starts at {named['start']} s and ends at "
                                      f"{named['end']} s")
        return item

    def error(self, path: str, number: int, text: str, problem: ValueError,
              remedy: str = '') -> ListFileError:
        """Return the error that names a line, what is wrong with it and the remedies."""
        separator = ' ' if self.delimiter is None else self.delimiter
        described = 'blanks' if self.delimiter is None else repr(self.delimiter)
        remedies = 'Mend the line, or the `columns` and class numbers of the dataset config'
        if remedy:
            remedies += f', or {remedy}'
        return ListFileError(
            f'{path}, line {number}: {problem}. The line: {text!r}. Expected: '
            f'`{separator.join(self.columns)}`, separated by {described}, one video a line. '
            f'{remedies}.')

    def _value(self, column: str, text: str) -> float:
        if column == COUNT_COLUMN:
            return _parse_count(text)
        if column in SECONDS_COLUMNS:
            return _parse_seconds(text, column)
        limit = self.num_scene_classes if column == 'scene_label' else self.num_classes
        may_lack = column != 'label' or self.allow_no_action
        return _parse_label(text, column, limit, lowest=NO_LABEL if may_lack else 0)


def _parse_count(text: str) -> int:
    if not INTEGER.fullmatch(text) or not 1 <= int(text) <= LARGEST:
        raise ValueError(f'{COUNT_COLUMN} is {text!r}, not a positive integer')
    return int(text)


def _parse_seconds(text: str, column: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= LARGEST:  # NaN is neither
        raise ValueError(f'{column} is {text!r}, not a number of seconds')
    return value


def _parse_label(text: str, column: str, limit: Optional[int], lowest: int) -> int:
    highest = LARGEST if limit is None else limit - 1
    accepted = f'{lowest}..{highest}'
    if not INTEGER.fullmatch(text):
        raise ValueError(f'{column} is {text!r}, not an integer ({accepted})')
    value = int(text)
    if not lowest <= value <= highest:
        raise ValueError(f'{column} {value} is out of range, accepted: {accepted}')
    return value
