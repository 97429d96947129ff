"""Seen and unseen action-scene combinations of HVU (DEVIAS, supplement D.2)."""
import re
from collections import Counter
from typing import Dict, List, NamedTuple, Sequence, Tuple

import pandas as pd

from devias_mm.datasets.lists import read_list
from devias_mm.errors import ListFileError

TAG_COLUMNS = ('Tags', 'youtube_id', 'time_start', 'time_end')
CATEGORY_COLUMNS = ('Tag', 'Category')
LIST_COLUMNS = ('filename', 'label', 'scene_label')


class Clip(NamedTuple):
    """A line of an HVU list: ``id action scene``."""
    name: str
    action: int
    scene: int

    @property
    def pair(self) -> Tuple[int, int]:
        return self.action, self.scene


def _read_csv(file: str, columns: Sequence[str]) -> pd.DataFrame:
    table = pd.read_csv(file, dtype=str, keep_default_na=False, skipinitialspace=True)
    if len(table.columns) == len(columns) and set(table.columns) != set(columns):
        raise ValueError(f'{file}: its columns are {", ".join(table.columns)}, expected '
                         f'{", ".join(columns)} (a header line of these names).')
    missing = [column for column in columns if column not in table]
    if missing:
        raise ValueError(f'{file}: no column {", ".join(missing)}; it has '
                         f'{", ".join(table.columns)}.')
    return table


def read_categories(file: str) -> Dict[str, Dict[str, int]]:
    """Read the categories of the tags.

    Args:
        file (str): CSV with the columns ``Tag`` and ``Category``, as HVU publishes it.

    Returns:
        dict[str, dict[str, int]]: for ``'action'`` and ``'scene'`` the index of each tag, in
        alphabetical order.
    """
    table = _read_csv(file, CATEGORY_COLUMNS)
    classes = {}
    for category in ('action', 'scene'):
        tags = sorted(set(table['Tag'][table['Category'].str.lower() == category]))
        if not tags:
            raise ValueError(f'{file}: no tag of the category {category!r}; there are '
                             f'{", ".join(sorted(set(table["Category"])))}.')
        classes[category] = {tag: index for index, tag in enumerate(tags)}
    return classes


def clip_name(youtube_id: str, start: str, end: str) -> str:
    """``<id>_<start>_<end>``, seconds without superfluous zeros, as in the published lists."""
    return f'{youtube_id}_{float(start):g}_{float(end):g}'


def read_tags(file: str, classes: Dict[str, Dict[str, int]]) -> List[Clip]:
    """Read HVU's own annotation: the videos with exactly one action and one scene.

    Args:
        file (str): CSV with the columns ``Tags`` (joined by ``|``), ``youtube_id``,
            ``time_start`` and ``time_end`` (seconds).
        classes (dict): of :func:`read_categories`.

    Raises:
        ValueError: naming the file and the line.
    """
    clips, seen = [], {}
    for number, row in enumerate(_read_csv(file, TAG_COLUMNS).itertuples(index=False), start=2):
        tags = set(filter(None, (tag.strip() for tag in row.Tags.split('|'))))
        actions = sorted(tags & classes['action'].keys())
        scenes = sorted(tags & classes['scene'].keys())
        try:
            name = clip_name(row.youtube_id, row.time_start, row.time_end)
        except ValueError:
            raise ValueError(f'{file}, line {number}: {row.time_start!r} or {row.time_end!r} is '
                             'no number of seconds.') from None
        if seen.setdefault(name, number) != number:
            raise ValueError(f'{file}, line {number}: {name} was already in line {seen[name]}.')
        if len(actions) == 1 and len(scenes) == 1:
            clips.append(Clip(name, classes['action'][actions[0]], classes['scene'][scenes[0]]))
    return clips


def read_clips(file: str, classes: Dict[str, Dict[str, int]],
               columns: Sequence[str] = LIST_COLUMNS) -> List[Clip]:
    """Read either form: HVU's CSV, if it has its header, or a list.

    Args:
        file (str): the file.
        classes (dict): of :func:`read_categories`, for the CSV.
        columns (Sequence[str]): of a list; ``'label'`` and ``'scene_label'`` among them. Lines
            without a scene (-1) are left out.

    Raises:
        ValueError: a column is missing.
        ListFileError: a line does not fit, or could as well have more columns.
    """
    with open(file, encoding='utf-8') as stream:
        header = stream.readline()
    if 'Tags' in header and ',' in header:
        if not classes:
            raise ValueError(f'{file} holds tags: --categories must say which are actions and '
                             'which are scenes.')
        return read_tags(file, classes)
    missing = {'label', 'scene_label'} - set(columns)
    if missing:
        raise ValueError(f'--columns {" ".join(columns)}: {" and ".join(sorted(missing))} must be '
                         'among them, to count combinations.')
    # split from the right, a column too many ends up in the name
    with open(file, encoding='utf-8', errors='replace') as stream:
        for number, line in enumerate(stream, start=1):
            name = line.strip().rsplit(None, len(columns) - 1)[:1]
            if name and re.search(r'\s-?[0-9]+$', name[0]):
                raise ListFileError(
                    f'{file}:{number}: {line.strip()!r}: is {name[0]!r} a file name, or is there '
                    f'a column that --columns {" ".join(columns)} lacks? Name all columns from '
                    'the left, such as --columns filename label scene_label background_label; or '
                    'rename the video.')
    return [Clip(item['video_id'], item['label'], item['scene_label'])
            for item in read_list(file, columns, filename_suffix='.mp4')
            if item['scene_label'] >= 0]


def most_frequent(values: Sequence[int], count: int) -> List[int]:
    """The ``count`` most frequent values, the first of them first; ties by value."""
    counts = Counter(values)
    return sorted(counts, key=lambda value: (-counts[value], value))[:count]


class HvuSplits(NamedTuple):
    """Result of :func:`split_combinations`.

    Attributes:
        seen (list[Clip]): the most frequent combination first.
        unseen (list[Clip]): in the order of the validation list.
        candidates (int): validation videos of the frequent actions and scenes.
        frequency (dict): training videos of each combination that occurs.
    """
    seen: List[Clip]
    unseen: List[Clip]
    candidates: int
    frequency: Dict[Tuple[int, int], int]


def split_combinations(train: Sequence[Clip], val: Sequence[Clip], top_actions: int = 400,
                       top_scenes: int = 20, max_unseen: int = 5,
                       num_seen: int = 200) -> HvuSplits:
    """Choose validation videos by how often their combination occurs in training.

    Only videos of the ``top_actions`` and ``top_scenes`` most frequent training classes count.
    Unseen: at most ``max_unseen`` training videos have the combination. Seen: the ``num_seen``
    videos whose combinations are the most frequent; the last combination may be cut.

    Args:
        train (Sequence[Clip]): training videos with one action and one scene.
        val (Sequence[Clip]): validation videos.
        top_actions, top_scenes, max_unseen, num_seen (int): see above.

    Raises:
        ValueError: a video is in both lists, a number is out of range, or the two splits would
            share videos.
    """
    for name, value, low in (('--top-actions', top_actions, 1), ('--top-scenes', top_scenes, 1),
                             ('--max-unseen', max_unseen, 0), ('--num-seen', num_seen, 1)):
        if value < low:
            raise ValueError(f'{name} {value}: accepted is an integer >= {low}.')
    both = {clip.name for clip in train} & {clip.name for clip in val}
    if both:
        raise ValueError(f'{len(both)} videos are in the training and in the validation list, '
                         f'such as {min(both)}.')
    frequency = Counter(clip.pair for clip in train)
    actions = set(most_frequent([clip.action for clip in train], top_actions))
    scenes = set(most_frequent([clip.scene for clip in train], top_scenes))
    candidates = [clip for clip in val if clip.action in actions and clip.scene in scenes]
    unseen = [clip for clip in candidates if frequency[clip.pair] <= max_unseen]
    seen = sorted(candidates, key=lambda clip: -frequency[clip.pair])[:num_seen]
    if set(seen) & set(unseen):
        raise ValueError(
            f'--num-seen {num_seen}: only {len(candidates) - len(unseen)} of the '
            f'{len(candidates)} candidates have a combination that occurs more than {max_unseen} '
            'times; ask for fewer.')
    return HvuSplits(seen, unseen, len(candidates), dict(frequency))


def write_lines(clips: Sequence[Clip]) -> str:
    """``id action scene`` lines."""
    return ''.join(f'{clip.name} {clip.action} {clip.scene}\n' for clip in clips)


def class_lines(classes: Dict[str, int]) -> str:
    """Class names, one a line, in the order of their indices."""
    return ''.join(f'{tag}\n' for tag in sorted(classes, key=classes.get))


