"""The video dataset: clips with an action label, a scene label and an identity."""
import os.path as osp
from typing import Callable, List, Optional, Sequence, Union

import torch
from mmaction.datasets import BaseActionDataset
from mmaction.registry import DATASETS
from mmaction.structures import ActionDataSample
from mmengine.logging import MMLogger

from .lists import NO_LABEL, read_list
from .transforms.read_clip import VideoReadError


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
    ``error``.

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
        check_files (bool): whether to look for all files at the start.
            Defaults to True.
        **kwargs: of ``BaseActionDataset``, such as ``data_root``, ``test_mode``
            and ``indices``.

    Raises:
        ListFileError: the list file cannot be used (when the data is loaded).
        FileNotFoundError: listed videos are missing.
    """

    def __init__(self,
                 ann_file: str,
                 pipeline: List[Union[dict, Callable]],
                 num_classes: int,
                 columns: Sequence[str] = ('filename', 'label'),
                 num_scene_classes: Optional[int] = None,
                 data_prefix: dict = dict(video=''),  # noqa: B006 (OpenMMLab's convention)
                 filename_suffix: str = '',
                 check_files: bool = True,
                 **kwargs) -> None:
        self.columns = tuple(columns)
        self.num_scene_classes = num_scene_classes
        self.filename_suffix = filename_suffix
        self.check_files = check_files
        super().__init__(ann_file, pipeline=pipeline, data_prefix=data_prefix,
                         num_classes=num_classes, **kwargs)

    def load_data_list(self) -> List[dict]:
        """Read the list file and check that the videos are there."""
        items = read_list(self.ann_file, self.columns, self.num_classes,
                          self.num_scene_classes, self.filename_suffix,
                          allow_no_action=self.test_mode)
        for item in items:
            item['filename'] = osp.join(self.data_prefix['video'], item['filename'])
            for column in ('label', 'scene_label', 'background_label'):
                item.setdefault(column, NO_LABEL)
        if self.check_files:
            missing = [i for i, item in enumerate(items) if not osp.isfile(item['filename'])]
            if missing:
                with open(self.ann_file, encoding='utf-8') as file:  # an item a line with text
                    lines = [number for number, line in enumerate(file, 1) if line.strip()]
                named = [f"{items[i]['filename']} (line {lines[i]})" for i in missing[:3]]
                raise FileNotFoundError(
                    f'{len(missing)} of the {len(items)} videos in {self.ann_file} are missing: '
                    f'{", ".join(named)}{" ..." if len(missing) > 3 else ""}. Add the '
                    'files, take the lines out of the list, or point `data_root` and '
                    '`data_prefix` of the dataset config to where the videos are.')
        return items

    def full_init(self) -> None:
        """Load the data list, once."""
        if not self._fully_initialized:
            super().full_init()
            # shared with the loader's workers, which may live for one epoch only
            self._reported = torch.zeros(len(self), dtype=torch.bool).share_memory_()

    def prepare_data(self, idx: int) -> Optional[dict]:
        """Run the pipeline; ``None`` for an unreadable video in training."""
        try:
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
