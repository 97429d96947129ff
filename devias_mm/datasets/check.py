"""Is a download complete? Lists, counts, files, lengths, decodability and classes of a config."""
import os.path as osp
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np
from mmaction.registry import DATASETS, TRANSFORMS
from mmengine.config import Config
from torch.utils.data import DataLoader

from devias_mm.datasets.action_scene_dataset import ActionSceneDataset
from devias_mm.datasets.class_maps import LabelMap, first_of, label_map
from devias_mm.datasets.frame_folders import FrameFolder, count_frames, stable_rng
from devias_mm.datasets.hat.layout import read_class_names
from devias_mm.datasets.published_counts import Expected, expected_of
from devias_mm.datasets.transforms.read_clip import VideoReadError

# the frame folders of a clip's source; a plain `FrameFolder` is its own
PARTS = dict(frames='frames', masks='masks', backgrounds='inpainted frames of the background',
             background_masks='masks of the background')


@dataclass
class SplitReport:
    """What was found in a split.

    Attributes:
        split: its name.
        ann_file: its list.
        videos: how many are listed; ``None`` where the list cannot be used.
        expected: what is known of it.
        classes: how many action classes occur.
        missing: files and folders that are not there.
        mismatches: sequences of frames whose lengths disagree.
        sampled: how many videos were decoded.
        unreadable: those that could not be, and why.
        problems: everything that is wrong, in words.
        notes: what is worth knowing.
        labels: of class folders and videos, see :func:`devias_mm.datasets.class_maps.label_map`.
    """
    split: str
    ann_file: str = ''
    videos: Optional[int] = None
    expected: Expected = Expected()
    classes: int = 0
    missing: List[str] = field(default_factory=list)
    mismatches: List[str] = field(default_factory=list)
    sampled: int = 0
    unreadable: List[str] = field(default_factory=list)
    problems: List[str] = field(default_factory=list)
    notes: List[str] = field(default_factory=list)
    labels: LabelMap = field(default_factory=dict)

    def as_dict(self) -> Dict[str, Any]:
        """For JSON; with the complete lists."""
        names = ('split', 'ann_file', 'videos', 'classes', 'missing', 'mismatches', 'sampled',
                 'unreadable', 'problems', 'notes')
        return dict({name: getattr(self, name) for name in names},
                    expected=self.expected._asdict())


def split_configs(cfg: Config) -> Dict[str, dict]:
    """Dataset configs of a config: ``'training'``, ``'validation'`` and each test split."""
    configs = {name: cfg[loader]['dataset'].to_dict()
               for name, loader in (('training', 'train_dataloader'),
                                    ('validation', 'val_dataloader')) if cfg.get(loader)}
    if cfg.get('test_dataloader'):
        splits = (cfg.get('test_cfg') or {}).get('splits') or cfg.get('test_splits')
        for name, changes in (splits or dict(test={})).items():
            merged = Config(dict(dataset=cfg.test_dataloader.dataset.to_dict()))
            merged.merge_from_dict(dict(dataset=dict(changes)))
            configs[name] = merged.dataset.to_dict()
    return configs


class Checker:
    """Checks the splits of a data set one after the other; folders are counted once.

    Args:
        data: name of the data set, a key of ``published_counts.EXPECTED`` or any other.
        sample: number of videos to decode in each split; 0: none.
        seed: of the choice of these.
        workers: threads that look for files, and processes that decode; 0: this one.
    """

    def __init__(self, data: str = '', sample: int = 20, seed: int = 0, workers: int = 0) -> None:
        self.data, self.sample, self.seed, self.workers = data, sample, seed, workers
        self._counts: Dict[Tuple[str, str], int] = {}

    def check_split(self, name: str, config: dict) -> SplitReport:
        """Check one split; whatever is wrong with it is in the report.

        Args:
            name: of the split.
            config: config of its dataset, with the pipeline.
        """
        report = SplitReport(name, osp.join(config.get('data_root') or '',
                                            config.get('ann_file', '')),
                             expected=expected_of(self.data, name))
        try:
            dataset = _build(config)
            infos = [dataset.get_data_info(i) for i in range(len(dataset))]
        except Exception as error:  # whatever breaks here must not hide the other splits
            report.problems.append(_message(error))
            return report
        report.videos = len(infos)
        if report.expected.videos and report.videos not in report.expected.videos:
            accepted = ' or '.join(f'{number:,}' for number in report.expected.videos)
            report.problems.append(f'{report.videos:,} videos are listed, published: {accepted}')
        try:
            self._check_labels(report, dataset, infos)
            absent = self._check_files(report, infos)
            readable = [i for i in range(len(infos)) if i not in absent]
            self._check_decoding(report, dataset, readable, config['pipeline'][0])
        except Exception as error:
            report.problems.append(_message(error))
        return report

    def _check_files(self, report: SplitReport, infos: Sequence[dict]) -> set:
        """Look for the files of all videos; returns the indices of those that lack some."""
        sources = [_folders(info.get('source')) for info in infos]
        folders = {(part.folder, part.filename_tmpl): part
                   for parts in sources for part in parts.values()}
        files = [info['filename'] for info, parts in zip(infos, sources) if not parts]
        with ThreadPoolExecutor(max(1, self.workers)) as pool:
            there = dict(zip(files, pool.map(osp.isfile, files)))
            new = [key for key in folders if key not in self._counts]
            self._counts.update(zip(new, pool.map(_count, new)))
        report.missing = [name for name in there if not there[name]]
        report.missing += [folder for folder, template in folders
                           if self._counts[folder, template] < 0]
        if report.missing:
            report.problems.append(f'{len(report.missing):,} of {len(there) + len(folders):,} '
                                   f'files or folders are missing: {first_of(report.missing)}')
        absent = set()
        for i, (info, parts) in enumerate(zip(infos, sources)):
            counts = {name: self._counts[part.folder, part.filename_tmpl]
                      for name, part in parts.items()}
            if min(counts.values(), default=0) < 0 or not there.get(info['filename'], True):
                absent.add(i)
            else:
                report.mismatches += [f"{info['video_id']}: {text}"
                                      for text in _length_problems(info, parts, counts)]
        if report.mismatches:
            report.problems.append(f'{len(report.mismatches):,} sequences of frames do not fit: '
                                   f'{first_of(report.mismatches, "; ")}')
        return absent

    def _check_decoding(self, report: SplitReport, dataset: ActionSceneDataset,
                        indices: Sequence[int], reader: dict) -> None:
        """Decode some videos as the config does."""
        count = min(self.sample, len(indices))
        rng = stable_rng(self.seed, report.split)
        chosen = sorted(rng.choice(indices, count, replace=False).tolist()) if count else []
        loader = DataLoader(_Decoding(dataset, chosen, reader, self.seed), batch_size=None,
                            num_workers=min(self.workers, count))
        report.unreadable = [text for text in loader if text]
        report.sampled = count
        if report.unreadable:
            report.problems.append(f'{len(report.unreadable)} of {count} sampled videos cannot '
                                   f'be read: {first_of(report.unreadable, "; ")}')

    def _check_labels(self, report: SplitReport, dataset: ActionSceneDataset,
                      infos: Sequence[dict]) -> None:
        """Which classes occur, and whether names and labels go together."""
        labels_file = getattr(dataset, 'labels_file', None)
        names = read_class_names(osp.join(dataset.data_root or '', labels_file),
                                 dataset.num_classes) if labels_file else {}
        if labels_file and len(names) != dataset.num_classes:
            report.problems.append(f'{labels_file} names {len(names)} of '
                                   f'{dataset.num_classes} classes')
        report.labels, conflicts = label_map(infos, names)
        if conflicts:
            report.problems.append('classes are mixed up: ' + first_of(conflicts, '; '))
        for title, key, total, expected in (
                ('action', 'label', dataset.num_classes, report.expected.classes),
                ('scene', 'scene_label', dataset.num_scene_classes,
                 report.expected.scene_classes)):
            found = {info[key] for info in infos if isinstance(info[key], int)} - {-1}
            if key == 'label':
                report.classes = len(found)
            absent = [str(label) for label in range(total or 0) if label not in found]
            if expected is not None and len(found) != expected:
                report.problems.append(f'{len(found)} {title} classes occur, published: '
                                       f'{expected}')
            elif found and absent:
                text = f'{len(absent)} {title} classes have no video: {first_of(absent)}'
                known = expected is not None or report.split != 'training' or title == 'scene'
                (report.notes if known else report.problems).append(text)


class _Decoding:
    """Reads videos and keeps what went wrong: ``video: reason``, or ``''``."""

    def __init__(self, dataset: ActionSceneDataset, indices: List[int], reader: dict,
                 seed: int) -> None:
        self.dataset, self.indices, self.seed = dataset, indices, seed
        self.reader = TRANSFORMS.build(reader)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, position: int) -> str:
        index = self.indices[position]
        info = self.dataset.get_data_info(index)
        np.random.seed([self.seed, index])  # training samplers draw their frames
        try:
            self.reader(info)
        except VideoReadError as error:
            return f"{info['video_id']}: {error.reason}"
        except Exception as error:  # reported like any other reason
            return f"{info['video_id']}: {_message(error)}"
        return ''


def _build(config: dict) -> ActionSceneDataset:
    """The dataset without its pipeline, its files not yet looked for."""
    kind = DATASETS.get(config['type'])
    if not (isinstance(kind, type) and issubclass(kind, ActionSceneDataset)):
        raise ValueError(f'a {config["type"]} cannot be checked, only ActionSceneDataset and '
                         'what is derived from it')
    # serialising serves memory in long runs, and takes half a second
    return DATASETS.build(dict(config, pipeline=[], check_files=False, serialize_data=False))


def _message(error: Exception) -> str:
    known = isinstance(error, (ValueError, OSError))
    return str(error) if known and str(error) else f'{type(error).__name__}: {error}'


def _count(key: Tuple[str, str]) -> int:
    """Number of frames in a folder; -1 where there is none."""
    folder, template = key
    return count_frames(folder, template) if osp.isdir(folder) else -1


def _folders(source) -> Dict[str, FrameFolder]:
    """The sequences of files that a clip is read from; none of a video file."""
    if isinstance(source, FrameFolder):
        return dict(frames=source)
    return {name: getattr(source, name) for name in PARTS if hasattr(source, name)}


def _length_problems(info: dict, parts: Dict[str, FrameFolder], counts: Dict[str, int]
                     ) -> Iterator[str]:
    """What does not fit in the lengths of a video's sequences."""
    for name, part in parts.items():
        ends = [part.path(index) for index in {0, counts[name] - 1}] if counts[name] else []
        if not ends:
            yield f'{part.folder} holds no file named like {part.path(0).rsplit("/", 1)[-1]}'
        elif not all(map(osp.isfile, ends)):
            first = part.first_number
            yield (f'the {counts[name]} {PARTS[name]} in {part.folder} are not numbered from '
                   f'{first} to {first + counts[name] - 1}')
    for name, listed in (('frames', info.get('total_frames')),
                         ('backgrounds', info.get('background_frames'))):
        if listed is not None and name in counts and counts[name] != listed:
            yield f'{counts[name]} {PARTS[name]}, {listed} are listed'
    for frames, masks in (('frames', 'masks'), ('backgrounds', 'background_masks')):
        if masks in counts and counts[frames] != counts[masks]:
            yield f'{counts[frames]} {PARTS[frames]}, {counts[masks]} masks'
