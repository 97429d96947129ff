"""Do the lists of a data set mean the same by a label?"""
import os.path as osp
from collections import Counter, defaultdict
from typing import Dict, List, Sequence, Tuple

SHOWN = 10
LabelMap = Dict[Tuple[str, str], int]


def first_of(names: Sequence[str], separator: str = ', ') -> str:
    """The first ten names, and how many more there are."""
    more = len(names) - SHOWN
    return separator.join(names[:SHOWN]) + (f' ... and {more:,} more' if more > 0 else '')


def label_map(infos: Sequence[dict], names: Dict[str, int]) -> Tuple[LabelMap, List[str]]:
    """The label of each class folder and each video of a split, and what contradicts itself.

    A folder in a video's name is that of a class where two or more, and more than half, of its
    videos have one label; the only folder of a split is, where all have: SCUBA's Kinetics videos
    lie in ``val/``.

    Args:
        infos (Sequence[dict]): annotations with ``video_id`` and ``label``; of HAT also
            ``video``, ``background`` and ``background_label``.
        names (dict[str, int]): published names of classes; may be empty.

    Returns:
        tuple: ``('class' or 'video', name) -> label`` of the names that have one label, and
        the contradictions in words.
    """
    folders: Dict[str, Dict[int, List[str]]] = defaultdict(lambda: defaultdict(list))
    videos: Dict[str, set] = defaultdict(set)
    for info in infos:
        pairs = [(info.get('video', info['video_id']), info['label'])]
        if 'background' in info:
            pairs.append((info['background'], info['background_label']))
        for video, label in pairs:
            folder, stem = osp.split(video)
            if label >= 0:
                folders[osp.basename(folder)][label].append(video)
                videos[stem].add(label)
    folders.pop('', None)
    labels: LabelMap = {}
    conflicts: List[str] = []
    for folder, found in folders.items():
        sizes = Counter({label: len(members) for label, members in found.items()})
        label, size = sizes.most_common(1)[0]
        if size < 2 or 2 * size <= sum(sizes.values()) or (len(folders) == 1 and len(found) > 1):
            continue
        labels['class', folder] = label
        conflicts += [f'{video} has the label {other}, others of {folder!r} {label}'
                      for other, members in found.items() if other != label for video in members]
        if names.get(folder, label) != label:
            conflicts.append(f'{folder!r} is {label} in the list, {names[folder]} among the '
                             'class names')
    labels.update({('video', stem): next(iter(found)) for stem, found in videos.items()
                   if len(found) == 1})
    return labels, conflicts


def compare_label_maps(maps: Dict[str, LabelMap]) -> List[str]:
    """Class folders and videos that have different labels in different splits, in words.

    Args:
        maps (dict[str, LabelMap]): of each split, from :func:`label_map`.
    """
    labels: Dict[Tuple[str, str], Dict[int, str]] = defaultdict(dict)
    for split, entries in maps.items():
        for name, label in entries.items():
            labels[name].setdefault(label, split)
    pairs: Dict[Tuple[str, ...], List[str]] = defaultdict(list)
    for (kind, name), found in labels.items():
        if len(found) > 1:
            text = ', '.join(f'{label} in {split}' for label, split in found.items())
            pairs[(kind, *found.values())].append(f'{name!r} is {text}')
    return [f'{len(texts):,} of the {key[0]} names have different labels in different splits: '
            f'{first_of(texts, "; ")}' for key, texts in pairs.items()]
