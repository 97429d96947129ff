"""Seen and unseen action-scene combinations of HVU (DEVIAS, supplement D.2)."""
import re
from collections import Counter
from typing import Dict, List, NamedTuple, Sequence, Tuple

import pandas as pd

from devias_mm.datasets.lists import read_list
from devias_mm.errors import ListFileError, MissingFileError, UsageError, UserError

TAG_COLUMNS = ('Tags', 'youtube_id', 'time_start', 'time_end')
CATEGORY_COLUMNS = ('Tag', 'Category')
LIST_COLUMNS = ('filename', 'label', 'scene_label')


class Clip(NamedTuple):
    """A line of an HVU list, ``id action scene``."""
    name: str
    action: int
    scene: int

    @property
    def pair(self) -> Tuple[int, int]:
        """Return the combination."""
        return self.action, self.scene


def _read_csv(file: str, columns: Sequence[str]) -> pd.DataFrame:
    try:
        table = pd.read_csv(file, dtype=str, keep_default_na=False, skipinitialspace=True)
    except FileNotFoundError:
        raise MissingFileError(f'{file} is missing.') from None
    except (OSError, ValueError) as error:  # pandas' own errors are ValueErrors
        raise ListFileError(f'{file} cannot be read as CSV: {error}') from None
    if len(table.columns) == len(columns) and set(table.columns) != set(columns):
        raise ListFileError(f'{file}: its columns are {", ".join(table.columns)}, expected '
                            f'{", ".join(columns)} (a header line of these names).')
    missing = [column for column in columns if column not in table]
    if missing:
        raise ListFileError(f'{file}: no column {", ".join(missing)}; it has '
                            f'{", ".join(table.columns)}.')
    return table


def read_categories(file: str) -> Dict[str, Dict[str, int]]:
    """Read the categories of the tags.

    Args:
        file: CSV with the columns ``Tag`` and ``Category``, as HVU publishes it.

    Returns:
        dict[str, dict[str, int]]: for ``'action'`` and ``'scene'`` the index of each tag, in
        alphabetical order.
    """
    table = _read_csv(file, CATEGORY_COLUMNS)
    classes = {}
    for category in ('action', 'scene'):
        chosen = table['Category'].str.lower() == category
        tags = sorted(set(table['Tag'][chosen]))
        if not tags:
            known = ', '.join(sorted(set(table['Category'])))
            raise ListFileError(f'{file}: no tag of the category {category!r}; there are {known}.')
        classes[category] = {tag: index for index, tag in enumerate(tags)}
    return classes


def clip_name(youtube_id: str, start: str, end: str) -> str:
    """Return ``<id>_<start>_<end>``, seconds without superfluous zeros, as published."""
    return f'{youtube_id}_{float(start):g}_{float(end):g}'


def read_tags(file: str, classes: Dict[str, Dict[str, int]]) -> List[Clip]:
    """Read HVU's own annotation: the videos with exactly one action and one scene.

    Args:
        file: CSV with the columns ``Tags`` (joined by ``|``), ``youtube_id``,
            ``time_start`` and ``time_end`` (seconds).
        classes: of :func:`read_categories`.

    Raises:
        ListFileError: naming the file and the line.
    """
    clips = []
    lines: Dict[str, int] = {}
    table = _read_csv(file, TAG_COLUMNS)
    # the header is line 1
    for number, row in enumerate(table.itertuples(index=False), start=2):
        try:
            name = clip_name(row.youtube_id, row.time_start, row.time_end)
        except ValueError:
            raise ListFileError(f'{file}, line {number}: {row.time_start!r} or {row.time_end!r} '
                                'is no number of seconds.') from None
        if name in lines:
            raise ListFileError(f'{file}, line {number}: {name} was already in line '
                                f'{lines[name]}.')
        lines[name] = number
        tags = {tag.strip() for tag in row.Tags.split('|')}
        actions = tags & classes['action'].keys()
        scenes = tags & classes['scene'].keys()
        if len(actions) == 1 and len(scenes) == 1:
            action = classes['action'][actions.pop()]
            scene = classes['scene'][scenes.pop()]
            clips.append(Clip(name, action, scene))
    return clips


def read_clips(file: str, classes: Dict[str, Dict[str, int]],
               columns: Sequence[str] = LIST_COLUMNS) -> List[Clip]:
    """Read either form: HVU's CSV, if it has its header, or a list.

    Args:
        file: the file.
        classes: of :func:`read_categories`, for the CSV.
        columns: of a list; ``'label'`` and ``'scene_label'`` among them. Lines
            without a scene (-1) are left out.

    Raises:
        UserError: a column is missing, a line does not fit, or could as well have more columns.
    """
    lines = _read_lines(file)
    if 'Tags' in lines[0] and ',' in lines[0]:
        if not classes:
            raise UsageError(f'{file} holds tags: --categories must say which are actions and '
                             'which are scenes.')
        return read_tags(file, classes)
    missing = {'label', 'scene_label'} - set(columns)
    if missing:
        wanted = ' and '.join(sorted(missing))
        raise UsageError(f'--columns {" ".join(columns)}: {wanted} must be among them, to count '
                         'combinations.')
    for number, line in enumerate(lines, start=1):
        _check_columns(file, number, line, columns)
    clips = []
    for item in read_list(file, columns, filename_suffix='.mp4'):
        if item['scene_label'] >= 0:
            clips.append(Clip(item['video_id'], item['label'], item['scene_label']))
    return clips


def _read_lines(file: str) -> List[str]:
    try:
        with open(file, encoding='utf-8', errors='replace') as stream:
            lines = stream.readlines()
    except FileNotFoundError:
        raise MissingFileError(f'{file} is missing.') from None
    except OSError as error:
        raise ListFileError(f'{file} cannot be read: {error.strerror}.') from None
    if not lines:
        raise ListFileError(f'{file} is empty.')
    return lines


def _check_columns(file: str, number: int, line: str, columns: Sequence[str]) -> None:
    """Refuse a line with a column too many: split from the right, it ends up in the name."""
    fields = line.strip().rsplit(None, len(columns) - 1)
    if fields and re.search(r'\s-?[0-9]+$', fields[0]):
        raise ListFileError(
            f'{file}:{number}: {line.strip()!r}: is {fields[0]!r} a file name, or is there '
            f'a column that --columns {" ".join(columns)} lacks? Name all columns from '
            'the left, such as --columns filename label scene_label background_label; or '
            'rename the video.')


def most_frequent(values: Sequence[int], count: int) -> List[int]:
    """Return the ``count`` most frequent values, the most frequent first; ties by value."""
    counts = Counter(values)
    ordered = sorted(counts, key=lambda value: (-counts[value], value))
    return ordered[:count]


class HvuSplits(NamedTuple):
    """Result of :func:`split_combinations`.

    Attributes:
        seen: the most frequent combination first.
        unseen: in the order of the validation list.
        candidates: validation videos of the frequent actions and scenes.
        frequency: training videos of each combination that occurs.
    """
    seen: List[Clip]
    unseen: List[Clip]
    candidates: int
    frequency: Dict[Tuple[int, int], int]


def split_combinations(train: Sequence[Clip],
                       val: Sequence[Clip],
                       top_actions: int = 400,
                       top_scenes: int = 20,
                       max_unseen: int = 5,
                       num_seen: int = 200) -> HvuSplits:
    """Choose validation videos by how often their combination occurs in training.

    Only videos of the ``top_actions`` and ``top_scenes`` most frequent training classes count.
    Unseen: at most ``max_unseen`` training videos have the combination. Seen: the ``num_seen``
    videos whose combinations are the most frequent; the last combination may be cut.

    Args:
        train: training videos with one action and one scene.
        val: validation videos.
        top_actions, top_scenes, max_unseen, num_seen: see above.

    Raises:
        UserError: a video is in both lists, a number is out of range, or the two splits would
            share videos.
    """
    _check_lowest('--top-actions', top_actions, 1)
    _check_lowest('--top-scenes', top_scenes, 1)
    _check_lowest('--max-unseen', max_unseen, 0)
    _check_lowest('--num-seen', num_seen, 1)
    train_names = {clip.name for clip in train}
    val_names = {clip.name for clip in val}
    both = train_names & val_names
    if both:
        raise UserError(f'{len(both)} videos are in the training and in the validation list, '
                        f'such as {min(both)}.')
    frequency = Counter(clip.pair for clip in train)
    actions = set(most_frequent([clip.action for clip in train], top_actions))
    scenes = set(most_frequent([clip.scene for clip in train], top_scenes))
    candidates = [clip for clip in val if clip.action in actions and clip.scene in scenes]
    unseen = [clip for clip in candidates if frequency[clip.pair] <= max_unseen]
    ordered = sorted(candidates, key=lambda clip: -frequency[clip.pair])
    seen = ordered[:num_seen]
    if set(seen) & set(unseen):
        frequent = len(candidates) - len(unseen)
        raise UsageError(
            f'--num-seen {num_seen}: only {frequent} of the {len(candidates)} candidates have a '
            f'combination that occurs more than {max_unseen} times; ask for fewer.')
    return HvuSplits(seen, unseen, len(candidates), dict(frequency))


def _check_lowest(option: str, value: int, lowest: int) -> None:
    """Raise where the value of an option is too low."""
    if value < lowest:
        raise UsageError(f'{option} {value}: accepted is an integer >= {lowest}.')


def write_lines(clips: Sequence[Clip]) -> str:
    """Return ``id action scene`` lines."""
    return ''.join(f'{clip.name} {clip.action} {clip.scene}\n' for clip in clips)


def class_lines(classes: Dict[str, int]) -> str:
    """Return class names, one a line, in the order of their indices."""
    return ''.join(f'{tag}\n' for tag in sorted(classes, key=classes.get))
