"""Cached scene labels: what a scene teacher says about every video of a list, made once.

One Parquet file a list, a row a video: ``video_id``, and ``probabilities``, the class
probabilities as float16, averaged over the views of the teacher's test pipeline (null where
the video could not be read). Its metadata name the teacher by the SHA-256 of its weights.
"""
import hashlib
import json
import os
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Union

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from devias_mm.datasets.lists import NO_LABEL
from devias_mm.errors import ListFileError
from devias_mm.files import atomic_path

METADATA_KEY = b'devias_mm.scene_labels'
REMEDY = 'make it with tools/data/pseudo_label_scenes.py'


class SceneLabelError(ListFileError):
    """A file of scene labels that cannot be used, or does not go with its list."""


class SceneLabels(NamedTuple):
    """``rows`` {video id: row}; ``probabilities`` float16 ``(rows, Ns)``, NaN where unreadable."""
    rows: Dict[str, int]
    probabilities: np.ndarray
    metadata: dict

    def of(self, row: int, hard: bool) -> Union[int, torch.Tensor]:
        """Label of a row: float32 ``(Ns, )``, or the most probable class; -1: there is none."""
        scores = self.probabilities[row].astype(np.float32)
        if np.isnan(scores[0]):
            return NO_LABEL
        # rounded to float16, they do not sum to 1 exactly
        return int(scores.argmax()) if hard else torch.from_numpy(scores / scores.sum())


def weights_sha256(weights: Dict[str, torch.Tensor]) -> str:
    """SHA-256 over names, shapes and bytes of tensors; the order does not count."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        tensor = weights[name].detach().cpu().contiguous()
        digest.update(f'{name} {tensor.dtype} {tuple(tensor.shape)}\n'.encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def write_scene_labels(path: Union[str, Path], video_ids: Sequence[str],
                       probabilities: Sequence[Optional[np.ndarray]],
                       teacher_sha256: str, **metadata) -> None:
    """Write a file of scene labels, atomically.

    Args:
        path (str | Path): the ``.parquet`` file.
        video_ids (Sequence[str]): unique.
        probabilities (Sequence[np.ndarray]): ``(Ns, )`` each, in [0, 1]; ``None`` for a video
            that could not be read.
        teacher_sha256 (str): of :func:`weights_sha256`.
        **metadata: what else the file should say about its origin, for JSON.

    Raises:
        SceneLabelError: a video twice, no readable video, or different numbers of classes.
    """
    twice = _twice(video_ids)
    if twice:
        raise SceneLabelError(f'{len(twice)} videos are labelled twice: {_some(twice)}.')
    sizes = {len(row) for row in probabilities if row is not None}
    if len(sizes) != 1 or len(video_ids) != len(probabilities):
        raise SceneLabelError(f'{len(video_ids)} videos, {len(probabilities)} rows of scores, '
                              f'class numbers {sorted(sizes)}: expected one row a video, all of '
                              'one class number.')
    metadata.update(teacher_sha256=teacher_sha256, num_scene_classes=sizes.pop())
    rows = [None if row is None else np.asarray(row, np.float16) for row in probabilities]
    table = pa.table(dict(video_id=pa.array(list(video_ids), pa.string()),
                          probabilities=pa.array(rows, pa.list_(pa.float16()))))
    table = table.replace_schema_metadata({METADATA_KEY: json.dumps(metadata, sort_keys=True)})
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary)


def read_scene_labels(path: Union[str, Path], num_scene_classes: Optional[int] = None,
                      teacher: Optional[str] = None) -> SceneLabels:
    """Read a file of scene labels and check it.

    Args:
        path (str | Path): the ``.parquet`` file.
        num_scene_classes (int, optional): the class number that is expected.
        teacher (str, optional): how ``teacher_sha256`` of the file has to begin, 8 digits or
            more.

    Raises:
        SceneLabelError: no such file, not a file of scene labels, a video twice, another class
            number or another teacher.
    """
    if not os.path.isfile(path):
        raise SceneLabelError(f'file of scene labels not found: {path}; {REMEDY}, or point '
                              '`scene_label_file` of the dataset config to where it is.')
    try:
        table = pq.read_table(path)
        metadata = json.loads((table.schema.metadata or {})[METADATA_KEY])
        video_ids, column = table['video_id'].to_pylist(), table['probabilities']
    except (pa.ArrowException, KeyError, ValueError) as error:
        raise SceneLabelError(f'{path} is no file of scene labels, or truncated '
                              f'({type(error).__name__}): {REMEDY}.') from error
    classes, found = metadata['num_scene_classes'], metadata['teacher_sha256']
    if num_scene_classes is not None and classes != num_scene_classes:
        raise SceneLabelError(f'{path} has {classes} scene classes, but num_scene_classes of the '
                              f'dataset is {num_scene_classes}: change one of them.')
    if teacher is not None and (len(teacher) < 8 or not found.startswith(teacher)):
        raise SceneLabelError(f'{path} was made by another teacher: {found[:16]}..., but '
                              f'scene_teacher_sha256 of the dataset is {teacher!r} (8 digits or '
                              'more); label the videos with that teacher, or correct the config.')
    twice = _twice(video_ids)
    if twice:
        raise SceneLabelError(f'{path} labels {len(twice)} videos twice: {_some(twice)}; '
                              f'{REMEDY}.')
    probabilities = np.full((len(video_ids), classes), np.nan, np.float16)
    labelled = column.is_valid().to_numpy()
    values = column.combine_chunks().flatten().to_numpy()
    if len(values) != labelled.sum() * classes:
        raise SceneLabelError(f'{path}: not every row has {classes} probabilities; {REMEDY}.')
    probabilities[labelled] = values.reshape(-1, classes)
    return SceneLabels({name: row for row, name in enumerate(video_ids)}, probabilities, metadata)


def attach_scene_labels(items: List[dict], labels: SceneLabels, path: str) -> None:
    """Put ``scene_row``, the row of its label, into each item of a list file.

    Raises:
        SceneLabelError: videos without a label, and items with a scene label of their own.
    """
    missing = [item['video_id'] for item in items if item['video_id'] not in labels.rows]
    if missing:
        raise SceneLabelError(f'{path} has no label for {len(missing)} of the {len(items)} listed '
                              f'videos: {_some(missing)}; {REMEDY} for this list.')
    double = [item['video_id'] for item in items if item.get('scene_label', -1) >= 0]
    if double:
        raise SceneLabelError(f'the list has scene labels of its own, as {_some(double)}: leave '
                              'out the column of the list, or scene_label_file.')
    for item in items:
        item['scene_row'] = labels.rows[item['video_id']]


def _twice(names: Sequence[str]) -> List[str]:
    seen: set = set()
    return [name for name in names if name in seen or seen.add(name)]


def _some(names: Sequence[str]) -> str:
    return ', '.join(map(repr, names[:3])) + (', ...' if len(names) > 3 else '')
