"""HAT's test sets as a dataset."""
import os.path as osp
from typing import Dict, List

from mmaction.registry import DATASETS

from devias_mm.datasets.action_scene_dataset import ActionSceneDataset
from devias_mm.datasets.class_names import read_class_names
from devias_mm.datasets.hat.compose import RULES
from devias_mm.datasets.hat.layout import LAYOUTS, read_swap_pairs, read_video_list
from devias_mm.datasets.hat.sources import ActionSwapClip, HumanOnlyClip, frame_folder
from devias_mm.datasets.lists import NO_LABEL
from devias_mm.errors import UsageError, shorten

KINDS = ('action-swap', 'scene-only', 'human-only')


@DATASETS.register_module()
class HATDataset(ActionSceneDataset):
    """Make Scene-Only, Human-Only and Action-Swap videos (HAT, NeurIPS 2022, section 3.2).

    The clips are made on the fly from the published frames, masks, inpainted frames and
    lists. Samples and pipelines are the same as of ``ActionSceneDataset``. ``gt_label`` is the
    action of the *person*; in Scene-Only videos, of the one who was removed.
    ``background_label`` is the class that the background belongs to: of the other video in
    Action-Swap, the video's own in Scene-Only, none in Human-Only. ``video_id`` is the person's
    video as listed.

    Args:
        ann_file: ``list.csv``, lines of ``[class/]video frames label``; for ``'action-swap'`` one
            of the pickles, such as ``far/actionswap_far_1.pickle``.
        kind: ``'action-swap'``, ``'scene-only'`` or ``'human-only'``.
        labels_file: ``labels.csv``, lines of ``index,class``, relative to ``data_root``.
        layout: how the files are arranged: ``'hat'``, ``'devias-kinetics'`` or
            ``'devias-ucf101'``, see :mod:`devias_mm.datasets.hat.layout`; the folder is
            ``data_prefix['video']``.
        rule: which published rule makes composites and reads masks, ``'hat'`` or ``'devias'``,
            see :mod:`devias_mm.datasets.hat.compose`.
        **kwargs: of ``ActionSceneDataset``; ``columns`` has no meaning here.

    Raises:
        ListFileError: a list cannot be used (when the data is loaded).
        MissingFileError: folders of listed videos are missing; in test mode: of all of them.

    Example::

        dataset = dict(type='HATDataset', data_root='data/ucf101/hat', kind='action-swap',
                       ann_file='annotations/far/actionswap_far_1.pickle', rule='devias',
                       labels_file='annotations/labels.csv', layout='devias-ucf101',
                       num_classes=101, pipeline=test_pipeline, test_mode=True)
    """

    def __init__(self, *args, kind: str, labels_file: str, layout: str = 'hat',
                 rule: str = 'hat', **kwargs) -> None:
        accepted = dict(kind=(kind, KINDS), layout=(layout, tuple(LAYOUTS)), rule=(rule, RULES))
        for name, (value, values) in accepted.items():
            if value not in values:
                raise UsageError(f'HATDataset: {name}={value!r} is unknown, accepted: {values}.')
        self.kind = kind
        self.labels_file = labels_file
        self.rule = rule
        self.layout = LAYOUTS[layout]
        super().__init__(*args, **kwargs)

    def load_data_list(self) -> List[dict]:
        """Read the lists and check that the folders of the videos are there."""
        if self.num_classes is None:
            raise UsageError('HATDataset needs `num_classes`.')
        classes = read_class_names(osp.join(self.data_root or '', self.labels_file),
                                   self.num_classes)
        read = read_swap_pairs if self.kind == 'action-swap' else read_video_list
        items = read(self.ann_file, classes, self.num_classes, self.allow_outside)
        for item in items:
            item.update(filename=item['video_id'], scene_label=NO_LABEL)
            own = item['label'] if self.kind == 'scene-only' else NO_LABEL
            item.setdefault('background_label', own)
        if self.check_files:
            self._check_folders(items)
        return items

    def _check_folders(self, items: List[dict]) -> None:
        """Look for the folders of all videos.

        Raises:
            MissingFileError: some are missing; in test mode: of every video.
        """
        wanted = [self._folders(item) for item in items]
        there: Dict[str, bool] = {}
        complete = 0
        for folders in wanted:
            for folder in folders:
                if folder not in there:
                    there[folder] = osp.isdir(folder)
            complete += all(there[folder] for folder in folders)
        missing = [folder for folder in there if not there[folder]]
        if not missing:
            return
        self._report_missing(
            missing, complete == 0,
            f'{len(missing)} of the {len(there)} folders of frames that {self.ann_file} needs are '
            f'missing: {shorten(missing)}; {len(items) - complete} of its {len(items)} videos '
            'cannot be made.',
            'Get them, or point `data_root`, `data_prefix` and `layout` of the dataset config to '
            'where and how they are.')

    def _folders(self, item: dict) -> List[str]:
        layout, root = self.layout, self.data_prefix['video']
        if self.kind == 'scene-only':
            wanted = [(layout.inpainted, item['video'])]
        else:
            wanted = [(layout.original, item['video']), (layout.masks, item['video'])]
        if self.kind == 'action-swap':
            wanted += [(layout.inpainted, item['background']), (layout.masks, item['background'])]
        return [frame_folder(root, layout, frames, video).folder for frames, video in wanted]

    def get_data_info(self, idx: int) -> dict:
        """Return the annotation of a video, with the source of its frames."""
        info = super().get_data_info(idx)
        root, video = self.data_prefix['video'], info['video']
        if self.kind == 'scene-only':
            info['source'] = frame_folder(root, self.layout, self.layout.inpainted, video,
                                          total_frames=info['total_frames'])
        elif self.kind == 'human-only':
            info['source'] = HumanOnlyClip(root, self.layout, video, self.rule)
        else:
            info['source'] = ActionSwapClip(root, self.layout, video, info['background'],
                                            info['background_frames'], self.rule)
        return info
