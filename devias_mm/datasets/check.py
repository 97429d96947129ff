"""Check that a download is complete: its lists, counts, files, lengths, decoding and classes."""
import os.path as osp
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, List, Optional, Sequence, Set, Tuple

import numpy as np
from mmaction.registry import DATASETS, TRANSFORMS
from mmengine.config import Config
from torch.utils.data import DataLoader

from devias_mm.datasets.action_scene_dataset import ActionSceneDataset
from devias_mm.datasets.class_maps import SHOWN, LabelMap, label_map
from devias_mm.datasets.class_names import read_class_names
from devias_mm.datasets.frame_folders import FrameFolder, count_frames, stable_rng
from devias_mm.datasets.published_counts import Expected, expected_of
from devias_mm.datasets.transforms.read_clip import VideoReadError
from devias_mm.errors import UsageError, shorten

# the frame folders of a clip's source; a plain `FrameFolder` is its own
PARTS = dict(frames='frames', masks='masks', backgrounds='inpainted frames of the background',
             background_masks='masks of the background')
TRAINING_LOADERS = dict(training='train_dataloader', validation='val_dataloader')
#: a sequence of files: its folder, and how the files are named
Folder = Tuple[str, str]


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
        """Return the report for JSON, with the complete lists."""
        names = ('split', 'ann_file', 'videos', 'classes', 'missing', 'mismatches', 'sampled',
                 'unreadable', 'problems', 'notes')
        content = {name: getattr(self, name) for name in names}
        content['expected'] = self.expected._asdict()
        return content


def split_configs(cfg: Config) -> Dict[str, dict]:
    """Return the dataset configs: ``'training'``, ``'validation'`` and each test split."""
    configs = {}
    for name, loader in TRAINING_LOADERS.items():
        if cfg.get(loader):
            configs[name] = cfg[loader]['dataset'].to_dict()
    if not cfg.get('test_dataloader'):
        return configs
    splits = (cfg.get('test_cfg') or {}).get('splits') or cfg.get('test_splits') or dict(test={})
    for name, changes in splits.items():
        merged = Config(dict(dataset=cfg.test_dataloader.dataset.to_dict()))
        merged.merge_from_dict(dict(dataset=dict(changes)))
        configs[name] = merged.dataset.to_dict()
    return configs


class Checker:
    """Check the splits of a data set one after the other; folders are counted once.

    Args:
        data: name of the data set, a key of ``published_counts.EXPECTED`` or any other.
        sample: number of videos to decode in each split; 0: none.
        seed: of the choice of these.
        workers: threads that look for files, and processes that decode; 0: this one.
    """

    def __init__(self, data: str = '', sample: int = 20, seed: int = 0, workers: int = 0) -> None:
        self.data = data
        self.sample = sample
        self.seed = seed
        self.workers = workers
        self._counts: Dict[Folder, int] = {}

    def check_split(self, name: str, config: dict) -> SplitReport:
        """Check one split; whatever is wrong with it is in the report.

        Args:
            name: of the split.
            config: config of its dataset, with the pipeline.
        """
        ann_file = osp.join(config.get('data_root') or '', config.get('ann_file', ''))
        report = SplitReport(name, ann_file, expected=expected_of(self.data, name))
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

    def _check_files(self, report: SplitReport, infos: Sequence[dict]) -> Set[int]:
        """Look for the files of all videos; return the indices of those that lack some."""
        sources = [_folders(info.get('source')) for info in infos]
        files = [info['filename'] for info, parts in zip(infos, sources) if not parts]
        there = self._find(files)
        folders = self._count_folders(sources)
        report.missing = [name for name in there if not there[name]]
        report.missing += [key[0] for key in folders if self._counts[key] < 0]
        if report.missing:
            report.problems.append(f'{len(report.missing):,} of {len(there) + len(folders):,} '
                                   'files or folders are missing: '
                                   f'{shorten(report.missing, SHOWN)}')
        absent = set()
        for i, (info, parts) in enumerate(zip(infos, sources)):
            counts = {name: self._counts[_key(part)] for name, part in parts.items()}
            has_file = there.get(info['filename'], True)
            has_folders = min(counts.values(), default=0) >= 0
            if not has_file or not has_folders:
                absent.add(i)
                continue
            for text in _length_problems(info, parts, counts):
                report.mismatches.append(f"{info['video_id']}: {text}")
        if report.mismatches:
            report.problems.append(f'{len(report.mismatches):,} sequences of frames do not fit: '
                                   f'{shorten(report.mismatches, SHOWN, "; ")}')
        return absent

    def _find(self, files: List[str]) -> Dict[str, bool]:
        """Return whether each file is there."""
        with ThreadPoolExecutor(max(1, self.workers)) as pool:
            return dict(zip(files, pool.map(osp.isfile, files)))

    def _count_folders(self, sources: Sequence[Dict[str, FrameFolder]]) -> List[Folder]:
        """Count the frames of folders that were not counted yet; return all folders."""
        folders: Dict[Folder, None] = {}  # a set that keeps the order
        for parts in sources:
            for part in parts.values():
                folders[_key(part)] = None
        new = [key for key in folders if key not in self._counts]
        with ThreadPoolExecutor(max(1, self.workers)) as pool:
            self._counts.update(zip(new, pool.map(_count, new)))
        return list(folders)

    def _check_decoding(self, report: SplitReport, dataset: ActionSceneDataset,
                        indices: Sequence[int], reader: dict) -> None:
        """Decode some videos as the config does."""
        count = min(self.sample, len(indices))
        if count == 0:
            return
        rng = stable_rng(self.seed, report.split)
        chosen = rng.choice(indices, count, replace=False).tolist()
        decoding = _Decoding(dataset, sorted(chosen), reader, self.seed)
        workers = min(self.workers, count)
        loader = DataLoader(decoding, batch_size=None, num_workers=workers)
        report.unreadable = [text for text in loader if text]
        report.sampled = count
        if report.unreadable:
            report.problems.append(f'{len(report.unreadable)} of {count} sampled videos cannot '
                                   f'be read: {shorten(report.unreadable, SHOWN, "; ")}')

    def _check_labels(self, report: SplitReport, dataset: ActionSceneDataset,
                      infos: Sequence[dict]) -> None:
        """Check which classes occur, and whether names and labels go together."""
        names: Dict[str, int] = {}
        labels_file = getattr(dataset, 'labels_file', None)
        if labels_file:
            names = read_class_names(osp.join(dataset.data_root or '', labels_file),
                                     dataset.num_classes)
            if len(names) != dataset.num_classes:
                report.problems.append(f'{labels_file} names {len(names)} of '
                                       f'{dataset.num_classes} classes')
        report.labels, conflicts = label_map(infos, names)
        if conflicts:
            report.problems.append(f'classes are mixed up: {shorten(conflicts, SHOWN, "; ")}')
        actions = _labels(infos, 'label')
        report.classes = len(actions)
        # of a data set of one's own, a class without training videos is a mistake
        _check_classes(
            report,
            'action',
            actions,
            dataset.num_classes,
            report.expected.classes,
            strict=report.split == 'training')
        _check_classes(
            report,
            'scene',
            _labels(infos, 'scene_label'),
            dataset.num_scene_classes,
            report.expected.scene_classes,
            strict=False)


def _labels(infos: Sequence[dict], key: str) -> Set[int]:
    """Return the classes that occur; a video may have none, or probabilities instead."""
    found = set()
    for info in infos:
        label = info[key]
        if isinstance(label, int) and label >= 0:
            found.add(label)
    return found


def _check_classes(report: SplitReport, title: str, found: Set[int], total: Optional[int],
                   expected: Optional[int], strict: bool) -> None:
    """Compare the classes that occur with the published number, or with all."""
    if expected is not None and len(found) != expected:
        report.problems.append(f'{len(found)} {title} classes occur, published: {expected}')
        return
    absent = sorted(set(range(total or 0)) - found)
    if not found or not absent:
        return
    text = f'{len(absent)} {title} classes have no video: {shorten(absent, SHOWN)}'
    if strict and expected is None:
        report.problems.append(text)
    else:
        report.notes.append(text)


class _Decoding:
    """Read videos and keep what went wrong: ``video: reason``, or ``''``."""

    def __init__(self, dataset: ActionSceneDataset, indices: List[int], reader: dict,
                 seed: int) -> None:
        self.dataset = dataset
        self.indices = indices
        self.seed = seed
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
    """Build the dataset without its pipeline, its files not yet looked for."""
    kind = DATASETS.get(config['type'])
    if not (isinstance(kind, type) and issubclass(kind, ActionSceneDataset)):
        raise UsageError(f'a {config["type"]} cannot be checked, only ActionSceneDataset and '
                         'what is derived from it')
    # serialising saves memory in long runs, and takes half a second
    return DATASETS.build(dict(config, pipeline=[], check_files=False, serialize_data=False))


def _message(error: Exception) -> str:
    if isinstance(error, (ValueError, OSError)) and str(error):
        return str(error)
    return f'{type(error).__name__}: {error}'


def _key(part: FrameFolder) -> Folder:
    return part.folder, part.filename_tmpl


def _count(key: Folder) -> int:
    """Count the frames in a folder; -1 where there is none."""
    folder, template = key
    if not osp.isdir(folder):
        return -1
    return count_frames(folder, template)


def _folders(source: object) -> Dict[str, FrameFolder]:
    """Return the sequences of files that a clip is read from; none of a video file."""
    if isinstance(source, FrameFolder):
        return dict(frames=source)
    return {name: getattr(source, name) for name in PARTS if hasattr(source, name)}


def _length_problems(info: dict, parts: Dict[str, FrameFolder], counts: Dict[str, int]
                     ) -> Iterator[str]:
    """Yield what does not fit in the lengths of a video's sequences."""
    for name, part in parts.items():
        count = counts[name]
        first_file = part.path(0)
        if count == 0:
            yield f'{part.folder} holds no file named like {osp.basename(first_file)}'
            continue
        last_file = part.path(count - 1)
        if not (osp.isfile(first_file) and osp.isfile(last_file)):
            first = part.first_number
            yield (f'the {count} {PARTS[name]} in {part.folder} are not numbered from {first} to '
                   f'{first + count - 1}')
    listed = dict(frames=info.get('total_frames'), backgrounds=info.get('background_frames'))
    for name, number in listed.items():
        if name in counts and number not in (None, counts[name]):
            yield f'{counts[name]} {PARTS[name]}, {number} are listed'
    for frames, masks in (('frames', 'masks'), ('backgrounds', 'background_masks')):
        if masks in counts and counts[frames] != counts[masks]:
            yield f'{counts[frames]} {PARTS[frames]}, {counts[masks]} masks'
