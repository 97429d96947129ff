"""The video dataset: clips with an action label, a scene label and an identity."""
import os.path as osp
from typing import Callable, List, Optional, Sequence, Union

import torch
from mmaction.datasets import BaseActionDataset
from mmaction.registry import DATASETS
from mmaction.structures import ActionDataSample
from mmengine.logging import MMLogger

from devias_mm.datasets.lists import NO_LABEL, read_list
from devias_mm.datasets.scene_labels import SceneLabels, attach_scene_labels, read_scene_labels
from devias_mm.datasets.transforms.read_clip import VideoReadError
from devias_mm.errors import MissingFileError


@DATASETS.register_module()
class ActionSceneDataset(BaseActionDataset):
    """Videos named in a list file, with action, scene and background labels.

    A sample is what the pipeline packs: ``inputs``, uint8
    ``(views, C, T, H, W)``, and ``data_samples``, an ``ActionDataSample`` with
    ``gt_label``, ``scene_label``, ``background_label`` and the metainfo
    ``video_id``. The pipeline must begin with ``ReadClip``, whose
    ``VideoReadError`` is the only error that is dealt with here: in training
    the video is reported once, by name, and another one takes its place; in
    test mode the sample has empty ``inputs`` and the reason as metainfo
    ``error``. Missing files are an error at the start of a training; in test mode they are
    logged by name, kept in ``missing``, and then unreadable, unless all are missing.

    Args:
        ann_file (str): the list file, relative to ``data_root``.
        pipeline (list[dict | Callable]): the transforms.
        num_classes (int): number of action classes.
        columns (Sequence[str]): the fields of a line, see
            :func:`devias_mm.datasets.lists.read_list`.
            Defaults to ``('filename', 'label')``.
        num_scene_classes (int, optional): number of scene classes.
        data_prefix (dict): ``dict(video=...)``, the folder of the videos,
            relative to ``data_root``. Defaults to ``dict(video='')``.
        filename_suffix (str): added to each listed name. Defaults to ``''``.
        filename_prefix (str): put in front of each listed name. Defaults to ``''``.
        delimiter (str, optional): what separates the fields of a line. Defaults to blanks.
        scene_label_file (str, optional): cached scene labels of the listed videos, relative to
            ``data_root``, see :mod:`devias_mm.datasets.scene_labels`. ``scene_label`` is then
            a float tensor ``(Ns, )`` of class probabilities, in test mode the most probable
            class; a video that the teacher could not read counts as unreadable in training
            and has no scene label in test mode, where the file itself may be missing, too:
            then no video has one.
        scene_teacher_sha256 (str, optional): how the teacher's checksum in that file has to
            begin, 8 digits or more. Defaults to None: any teacher.
        bad_segments (str): what a segment that ends before it starts is, ``'error'`` or
            ``'skip'``. Defaults to ``'error'``.
        check_files (bool): whether to look for all files at the start.
            Defaults to True.
        **kwargs: of ``BaseActionDataset``, such as ``data_root``, ``test_mode``
            and ``indices``.

    Raises:
        ListFileError: the list file cannot be used (when the data is loaded).
        MissingFileError: listed videos are missing; in test mode: all of them.
        SceneLabelError: the scene labels cannot be used, or do not go with the list.
    """

    def __init__(self,
                 ann_file: str,
                 pipeline: List[Union[dict, Callable]],
                 num_classes: int,
                 columns: Sequence[str] = ('filename', 'label'),
                 num_scene_classes: Optional[int] = None,
                 data_prefix: dict = dict(video=''),  # noqa: B006 (OpenMMLab's convention)
                 filename_suffix: str = '',
                 filename_prefix: str = '',
                 delimiter: Optional[str] = None,
                 scene_label_file: Optional[str] = None,
                 scene_teacher_sha256: Optional[str] = None,
                 bad_segments: str = 'error',
                 check_files: bool = True,
                 **kwargs) -> None:
        self.columns = tuple(columns)
        self.num_scene_classes = num_scene_classes
        self.filename_suffix = filename_suffix
        self.filename_prefix = filename_prefix
        self.delimiter = delimiter
        self.scene_label_file = scene_label_file
        self.scene_teacher_sha256 = scene_teacher_sha256
        self.scene_labels: Optional[SceneLabels] = None
        self.bad_segments = bad_segments
        self.check_files = check_files
        self.missing: List[str] = []
        super().__init__(ann_file, pipeline=pipeline, data_prefix=data_prefix,
                         num_classes=num_classes, **kwargs)

    def load_data_list(self) -> List[dict]:
        """Read the list file and check that the videos are there."""
        items = read_list(self.ann_file, self.columns, self.num_classes,
                          self.num_scene_classes, self.filename_suffix,
                          allow_no_action=self.test_mode, filename_prefix=self.filename_prefix,
                          delimiter=self.delimiter, bad_segments=self.bad_segments)
        for item in items:
            item['listed'] = item['filename']
            item['filename'] = osp.join(self.data_prefix['video'], item['filename'])
            for column in ('label', 'scene_label', 'background_label'):
                item.setdefault(column, NO_LABEL)
        if self.check_files:
            self._check_files(items)
        for item in items:
            del item['listed']
        return items

    def _check_files(self, items: List[dict], exists: Callable = osp.isfile) -> None:
        missing = [item for item in items if not exists(item['filename'])]
        if missing:
            with open(self.ann_file, encoding='utf-8') as file:
                fields = (line.strip().rsplit(self.delimiter, len(self.columns) - 1)
                          for line in file)
                lines = {field[0].strip(): number for number, field in enumerate(fields, 1)
                         if field}
            named = []
            for item in missing[:3]:
                name = item['listed'][len(self.filename_prefix):]
                name = name[:len(name) - len(self.filename_suffix)]
                named.append(f"{item['filename']} (line {lines[name]})")
            self._report_missing(
                [item['filename'] for item in missing], len(missing) == len(items),
                f'{len(missing)} of the {len(items)} videos in {self.ann_file} are missing: '
                f'{", ".join(named)}{" ..." if len(missing) > 3 else ""}.',
                'Add the files, take the lines out of the list, or point `data_root` and '
                '`data_prefix` of the dataset config to where the videos are.')

    def _report_missing(self, missing: List[str], nothing_left: bool, text: str,
                        remedy: str) -> None:
        """Stop a training, or a test without any video; log what a test lacks."""
        if nothing_left or not self.test_mode:
            raise MissingFileError(f'{text} {remedy}')
        self.missing = missing
        MMLogger.get_current_instance().warning(f'{text} These are tested as unreadable videos.')

    def filter_data(self) -> List[dict]:
        """Find the cached scene label of each item, of whatever class the data list is."""
        items = super().filter_data()
        if self.scene_label_file is not None:
            path = osp.join(self.data_root or '', self.scene_label_file)
            if self.test_mode and not osp.isfile(path):
                MMLogger.get_current_instance().info(
                    f'{self.ann_file}: tested without scene labels, there is no {path}.')
                return items
            self.scene_labels = read_scene_labels(path, self.num_scene_classes,
                                                  self.scene_teacher_sha256)
            attach_scene_labels(items, self.scene_labels, path)
        return items

    def get_data_info(self, idx: int) -> dict:
        """Annotation of a video, with its cached scene label."""
        info = super().get_data_info(idx)
        if self.scene_labels is not None:
            info['scene_label'] = self.scene_labels.of(info.pop('scene_row'), self.test_mode)
        return info

    def full_init(self) -> None:
        """Load the data list, once."""
        if not self._fully_initialized:
            super().full_init()
            # shared with the loader's workers, which may live for one epoch only
            self._reported = torch.zeros(len(self), dtype=torch.bool).share_memory_()

    def prepare_data(self, idx: int) -> Optional[dict]:
        """Run the pipeline; ``None`` for an unreadable video in training."""
        try:
            if self.scene_labels is not None and not self.test_mode:
                info = self.get_data_info(idx)
                if isinstance(info['scene_label'], int):
                    raise VideoReadError(info['filename'], 'the scene teacher could not read it')
            return super().prepare_data(idx)
        except VideoReadError as error:
            self._report(idx, error)
            return self._unreadable_sample(idx, error) if self.test_mode else None

    def _report(self, idx: int, error: VideoReadError) -> None:
        if self._reported[idx]:
            return
        self._reported[idx] = True
        fate = 'counts as wrong' if self.test_mode else 'another video takes its place'
        # an error, because MMLogger shows nothing less from ranks other than 0
        MMLogger.get_current_instance().error(f'{error} (listed in {self.ann_file}): {fate}.')
        if not self.test_mode and bool(self._reported.all()):
            raise RuntimeError(f'none of the {len(self)} videos in {self.ann_file} can be read; '
                               f'the last: {error}.') from error

    def _unreadable_sample(self, idx: int, error: VideoReadError) -> dict:
        info = self.get_data_info(idx)
        sample = ActionDataSample(
            metainfo=dict(video_id=info['video_id'], error=error.reason))
        sample.set_gt_label(info['label'])
        for name in ('scene_label', 'background_label'):
            sample.set_field(info[name], name)
        return dict(inputs=torch.empty(0, dtype=torch.uint8), data_samples=sample)
