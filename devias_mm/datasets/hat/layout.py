"""Where the published releases of HAT keep frames, masks, backgrounds and lists."""
import os.path as osp
from typing import Dict, List, NamedTuple

from devias_mm.datasets.lists import read_list
from devias_mm.datasets.restricted_pickle import load_plain_pickle
from devias_mm.errors import ListFileError


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


def read_class_names(path: str, num_classes: int) -> Dict[str, int]:
    """Read ``labels.csv``, lines of ``index,class``.

    Raises:
        ListFileError: as :func:`devias_mm.datasets.lists.read_list`; or a class occurs twice.
    """
    if not osp.isfile(path):
        raise ListFileError(f'class names not found: {path}. HAT publishes them beside its lists; '
                            '`labels_file` of the dataset config says where they are.')
    classes: Dict[str, int] = {}
    with open(path, encoding='utf-8') as file:
        for number, line in enumerate(file, start=1):
            index, comma, name = line.strip().partition(',')
            if not line.strip():
                continue
            if not (comma and name and index.isdecimal() and int(index) < num_classes):
                raise ListFileError(f'{path}, line {number}: {line.strip()!r} is not `index,class` '
                                    f'with an index of 0..{num_classes - 1}.')
            if name in classes or int(index) in classes.values():
                raise ListFileError(f'{path}, line {number}: {line.strip()!r}: the class or its '
                                    'index occurs twice.')
            classes[name] = int(index)
    return classes


def read_video_list(path: str, classes: Dict[str, int], num_classes: int) -> List[dict]:
    """Read a list of ``[class/]video frames label``.

    Returns:
        list[dict]: ``video_id`` (as listed), ``video`` (``class/video``), ``label``,
        ``total_frames``.

    Raises:
        ListFileError: as :func:`devias_mm.datasets.lists.read_list`; or the label has no name.
    """
    names = {index: name for name, index in classes.items()}
    items = read_list(path, ('filename', 'total_frames', 'label'), num_classes)
    for item in items:
        if item['label'] not in names:
            raise ListFileError(f"{path}: {item['video_id']!r} has the label {item['label']}, "
                                'which is not in the list of class names.')
        video = item.pop('filename')
        item['video'] = video if '/' in video else f"{names[item['label']]}/{video}"
    return items


def read_swap_pairs(path: str, classes: Dict[str, int], num_classes: int) -> List[dict]:
    """Read an action-swap pickle.

    It maps ``class/video`` of the person to ``[class/video of the background, its number of
    frames, its class]``; the numbers are integers for Kinetics-400 and strings for
    UCF-101.

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
            frames, label = int(frames), int(label)
            if not (isinstance(background, str) and '/' in background and '/' in video):
                raise ValueError('a video is not `class/video`')
            if frames < 1 or not 0 <= label < num_classes:
                raise ValueError(f'accepted are frames of 1 and more and classes of '
                                 f'0..{num_classes - 1}')
            item = dict(video_id=video, video=video, label=classes[video.rsplit('/', 1)[0]],
                        background=background, background_frames=frames, background_label=label)
        except KeyError as error:
            raise ListFileError(f'{path}: {video!r}: the class {error} is not among the class '
                                'names: `labels_file` belongs to another data set.') from None
        except (TypeError, ValueError) as error:
            raise ListFileError(f'{path}: {video!r} -> {value!r}: {error}. Expected: `class/video '
                                '-> [class/video, frames, class index]`.') from None
        items.append(item)
    return items
