"""Where the published releases of HAT keep frames, masks, backgrounds and lists."""
from reprlib import repr  # a damaged value may be long or deep
from typing import Dict, List, NamedTuple

from devias_mm.datasets.lists import INTEGER, LARGEST, read_list
from devias_mm.datasets.restricted_pickle import load_plain_pickle
from devias_mm.errors import ListFileError
from devias_mm.files import check_name


class Frames(NamedTuple):
    """Folders of numbered frames.

    Attributes:
        folder: the folder of all videos, relative to that of the data set.
        filename_tmpl: names of the files.
        first_number: number of a video's first file.
    """
    folder: str
    filename_tmpl: str
    first_number: int


class Layout(NamedTuple):
    """One published arrangement of the files.

    Attributes:
        original: the frames as they were, JPEG.
        masks: one grey PNG per frame, 0..255, where the person is.
        inpainted: the frames without the person, JPEG.
        with_class: whether a video lies in a folder of its class.
    """
    original: Frames
    masks: Frames
    inpainted: Frames
    with_class: bool


LAYOUTS: Dict[str, Layout] = {
    # of HAT: {ori,seg,inp}/class/video/000001.jpg
    'hat': Layout(
        Frames('ori', '{:06d}.jpg', 1), Frames('seg', '{:06d}.png', 1),
        Frames('inp', '{:06d}.jpg', 1), with_class=True),
    # of DEVIAS, Kinetics-400: {original,seg,inpaint}/videos/video/000001.jpg
    'devias-kinetics': Layout(
        Frames('original/videos', '{:06d}.jpg', 1), Frames('seg/videos', '{:06d}.png', 1),
        Frames('inpaint/videos', '{:06d}.jpg', 1), with_class=False),
    # of DEVIAS, UCF-101: rawframes/class/video/image_00001.jpg, and the others from 0
    'devias-ucf101': Layout(
        Frames('rawframes', 'image_{:05d}.jpg', 1), Frames('seg', 'img_{:05d}.png', 0),
        Frames('inpaint', 'img_{:05d}.jpg', 0), with_class=True),
}


def read_video_list(path: str, classes: Dict[str, int], num_classes: int,
                    allow_outside: bool = False) -> List[dict]:
    """Read a list of ``[class/]video frames label``.

    Args:
        path: the list.
        classes: index of each class name.
        num_classes: number of classes of the data set.
        allow_outside: whether names may lead out of the data root.

    Returns:
        list[dict]: ``video_id`` (as listed), ``video`` (``class/video``), ``label``,
        ``total_frames``.

    Raises:
        ListFileError: as :func:`devias_mm.datasets.lists.read_list`; or the label has no name.
    """
    names = {index: name for name, index in classes.items()}
    items = read_list(path, ('filename', 'total_frames', 'label'), num_classes,
                      allow_outside=allow_outside)
    for item in items:
        if item['label'] not in names:
            raise ListFileError(f"{path}: {item['video_id']!r} has the label {item['label']}, "
                                'which is not in the list of class names: `labels_file` belongs '
                                'to another data set, or lacks a class.')
        video = item.pop('filename')
        if '/' not in video:
            video = f"{names[item['label']]}/{video}"
        item['video'] = video
        del item['line']
    return items


def read_swap_pairs(path: str, classes: Dict[str, int], num_classes: int,
                    allow_outside: bool = False) -> List[dict]:
    """Read an action-swap pickle.

    It maps ``class/video`` of the person to ``[class/video of the background, its number of
    frames, its class]``; the numbers are integers for Kinetics-400 and strings for
    UCF-101.

    Args:
        path: the pickle.
        classes: index of each class name.
        num_classes: number of classes of the data set.
        allow_outside: whether names may lead out of the data root.

    Returns:
        list[dict]: in the order of the file, ``video_id`` and ``video`` (the person's
        ``class/video``), ``label`` (the person's action), ``background`` (``class/video``),
        ``background_frames``, ``background_label``.

    Raises:
        ListFileError: the file is refused, or an entry is of another form.
    """
    pairs = load_plain_pickle(path)
    if not isinstance(pairs, dict) or not pairs:
        raise ListFileError(f'{path} holds {type(pairs).__name__} instead of the pairs of HAT, a '
                            'dict of `class/video -> [class/video, frames, class index]`.')
    items = []
    for video, value in pairs.items():
        try:
            background, frames, label = value
            item = dict(
                video_id=video, video=video, background=background,
                background_frames=_whole_number(frames, 1, LARGEST, 'number of frames'),
                background_label=_whole_number(label, 0, num_classes - 1, 'class'))
            for name in (video, background):
                _check_video(name, allow_outside)
        except (TypeError, ValueError) as error:
            raise ListFileError(f'{path}: {repr(video)} -> {repr(value)}: {error}. Expected: '
                                '`class/video -> [class/video, frames, class index]`.') from None
        class_name = video.rsplit('/', 1)[0]
        if class_name not in classes:
            raise ListFileError(f'{path}: {video!r}: the class {class_name!r} is not among the '
                                'class names: `labels_file` belongs to another data set.')
        item['label'] = classes[class_name]
        items.append(item)
    return items


def _check_video(name: object, allow_outside: bool) -> None:
    if not isinstance(name, str) or '/' not in name:
        raise ValueError(f'{repr(name)} is not `class/video`')
    check_name(name, allow_outside)


def _whole_number(value: object, lowest: int, highest: int, what: str) -> int:
    text = str(value) if isinstance(value, (int, str)) else ''
    if not INTEGER.fullmatch(text) or not lowest <= int(text) <= highest:
        raise ValueError(f'the {what} is {repr(value)}, accepted: {lowest}..{highest}')
    return int(text)
