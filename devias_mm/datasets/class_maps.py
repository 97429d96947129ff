"""Check that the lists of a data set mean the same by a label."""
import os.path as osp
from collections import Counter, defaultdict
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

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
        only_folder = len(folders) == 1
        if only_folder and len(found) > 1:
            continue
        label = _common_label(found)
        if label is None:
            continue
        labels['class', folder] = label
        for other, members in found.items():
            if other == label:
                continue
            for video in members:
                conflicts.append(f'{video} has the label {other}, others of {folder!r} {label}')
        if names.get(folder, label) != label:
            conflicts.append(f'{folder!r} is {label} in the list, {names[folder]} among the '
                             'class names')
    for stem, found_labels in videos.items():
        if len(found_labels) == 1:
            labels['video', stem], = found_labels
    return labels, conflicts


def _common_label(found: Dict[int, List[str]]) -> Optional[int]:
    """Return the label of two or more, and more than half, of the videos of a folder, if any."""
    sizes = Counter()
    for label, members in found.items():
        sizes[label] = len(members)
    label, size = sizes.most_common(1)[0]
    if size < 2 or 2 * size <= sum(sizes.values()):
        return None
    return label


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
    summaries = []
    for (kind, *_), lines in texts.items():
        shown = shorten(lines, SHOWN, '; ')
        summaries.append(f'{len(lines):,} of the {kind} names have different labels in different '
                         f'splits: {shown}')
    return summaries
