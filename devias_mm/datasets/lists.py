"""List files: one video a line, read and checked in full before any work starts."""
import os
from typing import List, Optional, Sequence

LABEL_COLUMNS = ('label', 'scene_label', 'background_label')
NO_LABEL = -1


class ListFileError(ValueError):
    """A list file, or a line of it, that cannot be used."""


def video_id_of(filename: str, filename_suffix: str = '') -> str:
    """Identity of a video: its name as in the list, without the file suffix."""
    return filename if filename_suffix else os.path.splitext(filename)[0]


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


def read_list(path: str,
              columns: Sequence[str],
              num_classes: Optional[int] = None,
              num_scene_classes: Optional[int] = None,
              filename_suffix: str = '',
              allow_no_action: bool = False) -> List[dict]:
    """Read a list file and check every line of it.

    A line holds ``len(columns)`` fields separated by blanks; it is split from
    the right, because file names may hold blanks. Lines without any text are
    skipped.

    Args:
        path (str): the list file.
        columns (Sequence[str]): names of the fields; the first is
            ``'filename'``, the others among ``'label'``, ``'scene_label'`` and
            ``'background_label'``.
        num_classes (int, optional): number of action classes; bounds
            ``label`` and ``background_label``.
        num_scene_classes (int, optional): number of scene classes.
        filename_suffix (str): what the dataset adds to a listed name to get
            the file, for lists of bare identifiers (HVU). Defaults to ``''``.
        allow_no_action (bool): whether ``label`` may be -1 (no action to be
            seen; for test splits only). The other labels always may.

    Returns:
        list[dict]: for each video ``filename`` (as in the list, with the
        suffix), ``video_id`` and one int for each label column.

    Raises:
        ListFileError: the file is missing or empty, a line is not UTF-8, has a wrong number
            of fields, a label is no integer or out of range, or two lines
            name the same video. The message names file, line and remedy.
    """
    columns = tuple(columns)
    unknown = set(columns[1:]) - set(LABEL_COLUMNS)
    if not columns or columns[0] != 'filename' or unknown:
        raise ListFileError(f"columns must be 'filename' and then some of {LABEL_COLUMNS}, "
                            f'got {columns}.')
    if not os.path.isfile(path):
        raise ListFileError(
            f'list file not found: {path}. Prepare the dataset, or point `data_root` and '
            '`ann_file` of the dataset config (configs/_base_/datasets) to where it is.')
    limits = dict(label=num_classes, background_label=num_classes,
                  scene_label=num_scene_classes)
    items, seen = [], {}
    with open(path, encoding='utf-8', errors='replace') as file:
        for number, line in enumerate(file, start=1):
            text = line.strip()
            if not text:
                continue
            try:
                if '\ufffd' in text:
                    raise ValueError('it is not UTF-8 text')
                fields = text.rsplit(None, len(columns) - 1)
                if len(fields) != len(columns):
                    raise ValueError(f'{len(fields)} field(s) instead of {len(columns)}')
                item = dict(filename=fields[0] + filename_suffix,
                            video_id=video_id_of(fields[0], filename_suffix))
                for column, field in zip(columns[1:], fields[1:]):
                    lowest = 0 if column == 'label' and not allow_no_action else NO_LABEL
                    item[column] = _parse_label(field, column, limits[column], lowest)
                first = seen.setdefault(item['video_id'], number)
                if first != number:
                    raise ValueError(f"video {item['video_id']!r} was already listed in "
                                     f'line {first}')
            except ValueError as error:
                raise ListFileError(
                    f'{path}, line {number}: {error}. The line: {text!r}. Expected: '
                    f'`{" ".join(columns)}`, separated by blanks, one video a line. Mend the '
                    'line, or the `columns` and class numbers of the dataset config.') from None
            items.append(item)
    if not items:
        raise ListFileError(f'{path} lists no video. Expected lines: `{" ".join(columns)}`.')
    return items
