"""Cached scene labels: what a scene teacher says about every video of a list, made once.

A list has one Parquet file with a row for each video: ``video_id``, and ``probabilities``, the
class probabilities as float16, averaged over the views of the teacher's test pipeline (null where
the video could not be read). The metadata name the teacher by the SHA-256 of its weights.
"""
import hashlib
import json
import os
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch

from devias_mm.datasets.lists import NO_LABEL
from devias_mm.errors import ListFileError, shorten
from devias_mm.files import atomic_path

METADATA_KEY = b'devias_mm.scene_labels'
#: the options of a dataset that say where its scene labels come from
LABEL_OPTIONS = ('scene_label_file', 'scene_teacher_sha256')
REMEDY = 'make it with tools/data/pseudo_label_scenes.py'


class SceneLabelError(ListFileError):
    """A file of scene labels that cannot be used, or does not go with its list."""


class SceneLabels(NamedTuple):
    """The content of a file.

    Attributes:
        rows: row of each ``video_id``.
        probabilities: float16 ``(rows, Ns)``, NaN where the video could not be read.
        metadata: what the file says about its origin.
    """
    rows: Dict[str, int]
    probabilities: np.ndarray
    metadata: dict

    def of(self, row: int, hard: bool) -> Union[int, torch.Tensor]:
        """Return the label of a row.

        Args:
            row: of ``rows``.
            hard: whether to return the most probable class.

        Returns:
            the class probabilities, float32 ``(Ns, )``, or a class; -1 where there is no label.
        """
        scores = self.probabilities[row].astype(np.float32)
        if np.isnan(scores[0]):
            return NO_LABEL
        if hard:
            return int(scores.argmax())
        # rounded to float16, they do not sum to 1 exactly
        return torch.from_numpy(scores / scores.sum())


def weights_sha256(weights: Dict[str, torch.Tensor]) -> str:
    """Return the SHA-256 of names, shapes and bytes of tensors; the order does not count."""
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
        path: the ``.parquet`` file.
        video_ids: unique.
        probabilities: ``(Ns, )`` each, in [0, 1]; ``None`` for a video that could not be read.
        teacher_sha256: of :func:`weights_sha256`.
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
        path: the ``.parquet`` file.
        num_scene_classes: the number of classes that is expected.
        teacher: how ``teacher_sha256`` of the file has to begin, 8 digits or more.

    Raises:
        SceneLabelError: no such file, not a file of scene labels, a video twice, another
            number of classes or another teacher.
    """
    if not os.path.isfile(path):
        raise SceneLabelError(f'file of scene labels not found: {path}; {REMEDY}, or point '
                              '`scene_label_file` of the dataset config to where it is.')
    video_ids, column, metadata = _read_columns(path)
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
    sizes = pc.list_value_length(column).drop_null().to_numpy()
    if (sizes != classes).any():
        raise SceneLabelError(f'{path}: not every row has {classes} probabilities; {REMEDY}.')
    values = column.combine_chunks().flatten().to_numpy(zero_copy_only=False).astype(np.float32)
    # a sum of 0 would make NaN of the labels
    if not ((values >= 0) & (values <= 1)).all() or (
            values.reshape(-1, classes).sum(1) < 0.5).any():
        raise SceneLabelError(f'{path} holds values that are no probabilities; {REMEDY}.')
    probabilities[labelled] = values.reshape(-1, classes)
    rows = {name: row for row, name in enumerate(video_ids)}
    return SceneLabels(rows, probabilities, metadata)


def _read_columns(path: Union[str, Path]) -> Tuple[List[str], pa.ChunkedArray, dict]:
    """Read names, probabilities and metadata, and check their types."""
    try:
        table = pq.read_table(path)
        metadata = json.loads((table.schema.metadata or {})[METADATA_KEY])
        video_ids = table['video_id'].to_pylist()
        column = table['probabilities']
        classes, teacher = metadata['num_scene_classes'], metadata['teacher_sha256']
    except (pa.ArrowException, KeyError, TypeError, ValueError, OSError) as error:
        raise SceneLabelError(f'{path} is no file of scene labels, or truncated '
                              f'({type(error).__name__}): {REMEDY}.') from error
    plain = isinstance(classes, int) and classes > 0 and isinstance(teacher, str)
    named = all(isinstance(name, str) for name in video_ids)
    if not plain or not named or not pa.types.is_list(column.type) \
            or not pa.types.is_floating(column.type.value_type):
        raise SceneLabelError(f'{path} is no file of scene labels: its columns or metadata are of '
                              f'another type; {REMEDY}.')
    return video_ids, column, metadata


def attach_scene_labels(items: List[dict], labels: SceneLabels, path: str) -> None:
    """Add ``scene_row``, the row of its label, to each item of a list file.

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


def check_scene_teacher(dataset: object, model: dict) -> None:
    """Check that cached labels come from the kind of teacher that a model learns scenes from.

    Args:
        dataset: one without cached scene labels passes.
        model: config of the model; one without a ``scene_teacher`` passes.

    Raises:
        SceneLabelError: the labels are those of another kind of teacher.
    """
    labels: Optional[SceneLabels] = getattr(dataset, 'scene_labels', None)
    teacher = (model.get('scene_teacher') or {}).get('type')
    if labels is None or teacher is None:
        return
    found = labels.metadata.get('teacher', teacher)
    if found != teacher:
        raise SceneLabelError(
            f'{dataset.scene_label_file} holds the scene labels of a {found}, and the model learns '
            f'from a {teacher}: its scenes would be scored against another model. Label the '
            'videos with this config (tools/data/pseudo_label_scenes.py) and name that file as '
            '`scene_label_file` of the split.')


def _twice(names: Sequence[str]) -> List[str]:
    """Return the names that occur more than once, in the order of their second occurrence."""
    seen = set()
    twice = []
    for name in names:
        if name in seen:
            twice.append(name)
        seen.add(name)
    return twice


def _some(names: Sequence[str]) -> str:
    return shorten([repr(name) for name in names])
