"""The videos that a builder works on, from a list file."""
import os
import posixpath
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence

from devias_mm.builders.media import file_state, mask_path
from devias_mm.errors import ListFileError, MissingFileError, UserError, shorten
from devias_mm.files import TEMPORARY_PREFIX, check_name

#: bytes of a part of a name: what is made from it gets a number and a suffix
_LONGEST_PART = 240


class Video(NamedTuple):
    """A line of a list file.

    Attributes:
        name: the file as listed, without its suffix; identity within the list, and name of what
            is made from it.
        path: video file, or folder of frames.
        label: action class.
    """
    name: str
    path: str
    label: int


def list_videos(list_file: str, data_root: str, columns: Sequence[str], suffix: str = '',
                missing_ok: bool = False, allow_outside: bool = False) -> List[Video]:
    """Read a list file; every video must exist, unless ``missing_ok``.

    Args:
        list_file: see ``devias_mm/datasets/lists.py``.
        data_root: folder that the listed names are relative to.
        columns: of the list, ``'filename'`` and ``'label'`` among them.
        suffix: what to add to a listed name (``.mp4`` for HVU).
        missing_ok: whether videos may be missing: they are left out when they are read.
        allow_outside: whether names may be absolute, or lead out of ``data_root`` by ``..``.
            What is made from such a video is named after its path without these parts.

    Raises:
        ListFileError: the list cannot be used; a name is no name of an output, or two names are
            those of the same output.
        MissingFileError: videos are missing; the first ones are named.
    """
    from devias_mm.datasets.lists import read_list
    if 'label' not in columns:
        raise ListFileError(f'--columns {" ".join(columns)}: `label` must be among them.')
    videos = []
    # the list's own check would speak of an option of datasets, and not of the tools
    for item in read_list(list_file, columns, filename_suffix=suffix, allow_no_action=True,
                          allow_outside=True):
        name = item['video_id']
        try:
            if allow_outside:
                name = _without_way_out(name)
            else:
                check_name(item['filename'])
            check_output_name(name)
        except UserError as error:
            raise ListFileError(f'{list_file}: {error}. --allow-outside accepts names that lead '
                                'out of --data-root.') from None
        path = os.path.join(data_root, item['filename'])
        videos.append(Video(name, path, item['label']))
    check_distinct([video.name for video in videos], list_file)
    missing = [video.path for video in videos if not os.path.exists(video.path)]
    if len(missing) == len(videos) or (missing and not missing_ok):
        raise MissingFileError(
            f'{len(missing)} of the {len(videos)} videos of {list_file} are missing, such as '
            f'{shorten(missing)}. Mend --data-root, take them off the list, or leave them '
            'out with --on-error skip.')
    return videos


def _without_way_out(name: str) -> str:
    """Return a name without what leads out of a folder: ``../a/b`` and ``/a/b`` become ``a/b``."""
    parts = [part for part in posixpath.normpath(name).split('/') if part not in ('', '..')]
    return '/'.join(parts)


def check_output_name(name: str) -> None:
    """Check that outputs can be named after a video.

    Raises:
        UserError: the name leads out of its folder or is none (see
            :func:`devias_mm.files.check_name`), is too long, or is one that this package gives
            to files that are being written.
    """
    check_name(name)
    for part in name.split('/'):
        if len(part.encode(errors='replace')) > _LONGEST_PART:
            raise UserError(f'the name {part[:40]!r}... is longer than {_LONGEST_PART} bytes')
        if part.startswith(TEMPORARY_PREFIX):
            raise UserError(f'the name {part!r} begins like those of files that are being written')


def check_output_names(names: Sequence[str], list_file: str) -> None:
    """Check the names of all videos of a list.

    Raises:
        ListFileError: see :func:`check_output_name` and :func:`check_distinct`.
    """
    for name in names:
        try:
            check_output_name(name)
        except UserError as error:
            raise ListFileError(f'{list_file}: {error}.') from None
    check_distinct(names, list_file)


def check_distinct(names: Sequence[str], list_file: str) -> None:
    """Check that no two videos share an output folder, and none is inside of another's.

    Raises:
        ListFileError: two names are the same when written without ``.`` and ``..``, or one is a
            folder of the other.
    """
    places: Dict[str, str] = {}
    for name in names:
        place = posixpath.normpath(name)
        if place in places:
            raise ListFileError(f'{list_file}: {places[place]!r} and {name!r} are the same place, '
                                'so that one would replace what is made from the other.')
        places[place] = name
    for place, name in places.items():
        for folder in list(Path(place).parents)[:-1]:
            if str(folder) in places:
                raise ListFileError(
                    f'{list_file}: {name!r} is below {places[str(folder)]!r}, another video, so '
                    'that one would replace what is made from the other. Rename one.')


def video_state(video: Video, masks: Sequence[Optional[str]] = (),
                folders: Sequence[Optional[str]] = ()) -> list:
    """Return what a video is made from: where any of it changed, the video is made again.

    Args:
        video: its file and its label count.
        masks: folders that ``read_mask_values`` reads; ``None`` is passed over.
        folders: of which ``<name>/`` counts.
    """
    state = [video.label, file_state(video.path)]
    for root in masks:
        if root:
            state.append(file_state(mask_path(root, video.name)))
    for root in folders:
        if root:
            state.append(file_state(Path(root, video.name)))
    return state
