"""Do the lists of a data set mean the same by a label?"""
import os.path as osp
from collections import Counter, defaultdict
from typing import Dict, Iterator, List, Sequence, Tuple

from devias_mm.errors import shorten

SHOWN = 10  # names in a report
LabelMap = Dict[Tuple[str, str], int]


def label_map(infos: Sequence[dict], names: Dict[str, int]) -> Tuple[LabelMap, List[str]]:
    """Return the label of each class folder and each video of a split, and contradictions.

    A folder in a video's name is the folder of a class where two or more, and more than half, of
    its videos have one label; the only folder of a split is, where all have: SCUBA's Kinetics
    videos are all in ``val/``.

    Args:
        infos: annotations with ``video_id`` and ``label``; of HAT also ``video``,
            ``background`` and ``background_label``.
        names: index of each published class name; may be empty.

    Returns:
        tuple: ``('class' or 'video', name) -> label`` of the names that have one label, and
        the contradictions in words.
    """
    folders: Dict[str, Dict[int, List[str]]] = defaultdict(lambda: defaultdict(list))
    videos: Dict[str, set] = defaultdict(set)
    for video, label in _labelled_videos(infos):
        folder, stem = osp.split(video)
        folders[osp.basename(folder)][label].append(video)
        videos[stem].add(label)
    folders.pop('', None)
    labels: LabelMap = {}
    conflicts: List[str] = []
    for folder, found in folders.items():
        if len(folders) == 1 and len(found) > 1:
            continue
        sizes = Counter({label: len(members) for label, members in found.items()})
        label, size = sizes.most_common(1)[0]
        if size < 2 or 2 * size <= sum(sizes.values()):
            continue
        labels['class', folder] = label
        for other, members in found.items():
            if other != label:
                conflicts += [f'{video} has the label {other}, others of {folder!r} {label}'
                              for video in members]
        if names.get(folder, label) != label:
            conflicts.append(f'{folder!r} is {label} in the list, {names[folder]} among the '
                             'class names')
    for stem, found in videos.items():
        if len(found) == 1:
            labels['video', stem] = next(iter(found))
    return labels, conflicts


def _labelled_videos(infos: Sequence[dict]) -> Iterator[Tuple[str, int]]:
    """Yield the videos of annotations with their labels, those of backgrounds, too."""
    for info in infos:
        if info['label'] >= 0:
            yield info.get('video', info['video_id']), info['label']
        if 'background' in info and info['background_label'] >= 0:
            yield info['background'], info['background_label']


def compare_label_maps(maps: Dict[str, LabelMap]) -> List[str]:
    """Return class folders and videos that have different labels in different splits, in words.

    Args:
        maps: of each split, from :func:`label_map`.
    """
    labels: Dict[Tuple[str, str], Dict[int, str]] = defaultdict(dict)
    for split, entries in maps.items():
        for name, label in entries.items():
            labels[name].setdefault(label, split)
    # splits that disagree in one name disagree in many: one line for all of them
    texts: Dict[Tuple[str, ...], List[str]] = defaultdict(list)
    for (kind, name), found in labels.items():
        if len(found) > 1:
            described = ', '.join(f'{label} in {split}' for label, split in found.items())
            texts[(kind, *found.values())].append(f'{name!r} is {described}')
    return [f'{len(lines):,} of the {key[0]} names have different labels in different splits: '
            f'{shorten(lines, SHOWN, "; ")}' for key, lines in texts.items()]
