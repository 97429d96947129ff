"""A trained recognizer on a list of videos, outside of MMEngine's runner."""
import copy
from typing import Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

import numpy as np
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.device import get_device
from mmengine.registry import init_default_scope
from mmengine.runner import set_random_seed
from mmengine.structures import BaseDataElement
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from devias_mm.datasets.scene_labels import LABEL_OPTIONS, check_scene_teacher
from devias_mm.engine.loops import split_unreadable
from devias_mm.engine.splits import split_dataset
from devias_mm.errors import ListFileError, UsageError
from devias_mm.methods.base import DebiasRecognizer
from devias_mm.weights.checkpoints import load_weights


class VideoFeatures(NamedTuple):
    """Features of the readable videos of a list.

    Attributes:
        video_ids: their names, n.
        labels: ``action`` and ``scene`` classes, int64 ``(n,)``; -1 = none.
        features: per task float32 ``(n, D)``, the mean over the views.
        unreadable: names of the videos that could not be read.
    """
    video_ids: List[str]
    labels: Dict[str, np.ndarray]
    features: Dict[str, np.ndarray]
    unreadable: List[str]


def load_recognizer(cfg: Config, checkpoint: Optional[str], seed: int = 0) -> nn.Module:
    """Build the recognizer of a config, load its weights and freeze it.

    Args:
        cfg: the config.
        checkpoint: file or URL of the weights; ``None``: random ones.
        seed: of random weights.

    Returns:
        nn.Module: in evaluation mode, on the GPU where there is one.

    Raises:
        CheckpointError: the checkpoint cannot be used, or is not the model's.

    Example::

        model = load_recognizer(Config.fromfile('two-token.py'), 'epoch_100.pth')
    """
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    set_random_seed(seed)
    model = MODELS.build(cfg.model)
    if checkpoint is None:
        model.init_weights()
    else:
        load_weights(model, checkpoint)
    return model.to(get_device()).eval()


def test_splits(cfg: Config) -> Dict[str, dict]:
    """Return the test splits of a config as `tools/test.py` sees them."""
    splits = (cfg.get('test_cfg') or {}).get('splits') or cfg.get('test_splits')
    return dict(splits or dict(test={}))


def training_list(cfg: Config, ann_file: Optional[str] = None) -> dict:
    """Return what makes the training list, or another one of the same videos, a test split."""
    train = cfg.train_dataloader.dataset
    if train.get('ann_file') is None:
        raise UsageError(f'a {train.type} has no list of its own: give the config of a method '
                         'that trains on one list')
    changes = dict(ann_file=ann_file or train.ann_file)
    # scene labels are those of one list
    options = ('data_prefix', ) if ann_file else ('data_prefix', *LABEL_OPTIONS)
    for name in options:
        if name in train:
            changes[name] = copy.deepcopy(train[name])
    return changes


def list_loader(cfg: Config, changes: dict) -> DataLoader:
    """Return batches of a list in its order, read by the config's test pipeline.

    Args:
        cfg: the config; ``test_dataloader`` is the template.
        changes: what the list changes in its data set, as in ``test_splits``.
    """
    dataset: Dataset = DATASETS.build(split_dataset(cfg.test_dataloader.dataset, changes))
    check_scene_teacher(dataset, cfg.model)
    return DataLoader(dataset, cfg.test_dataloader.batch_size, collate_fn=pseudo_collate,
                      num_workers=cfg.test_dataloader.get('num_workers', 0))


@torch.no_grad()
def clip_features(
        model: nn.Module, loader: DataLoader, encode: Callable[[Tensor], Dict[str, Tensor]]
) -> Iterator[Tuple[BaseDataElement, Optional[Dict[str, np.ndarray]]]]:
    """Encode the clips of every video of a list, in its order.

    Args:
        model: a recognizer; its data preprocessor is used.
        loader: from :func:`list_loader`. Videos may have different numbers of clips.
        encode: maps normalised clips ``(N, 3, T, H, W)`` to named features ``(N, D)``, such as
            ``model.features``.

    Yields:
        tuple: the data sample of a video, and its features, float32 ``(views, D)`` by name;
        ``None`` where the video cannot be read.

    Example::

        for sample, features in clip_features(model, loader, model.features):
            if features is not None:
                print(sample.video_id, features['action'].mean(0))
    """
    for batch in loader:
        readable, _ = split_unreadable(batch)
        encoded = iter(_encode(model, readable, encode))
        for sample in batch['data_samples']:
            yield sample, None if 'error' in sample else next(encoded)


def _encode(model: nn.Module, batch: dict,
            encode: Callable[[Tensor], Dict[str, Tensor]]) -> List[Dict[str, np.ndarray]]:
    """Encode all clips of a batch at once; return the features of each video."""
    clips, samples = [], []
    for views, sample in zip(batch['inputs'], batch['data_samples']):
        # each clip as a video of one view: videos may differ in the number of their clips
        clips += [view[None] for view in views]
        samples += [sample] * len(views)
    if not clips:
        return []
    data = model.data_preprocessor(dict(inputs=clips, data_samples=samples))
    found = encode(data['inputs'].flatten(0, 1))
    counts = [len(views) for views in batch['inputs']]
    rows: List[Dict[str, np.ndarray]] = [{} for _ in counts]
    for name, values in found.items():
        for row, part in zip(rows, values.float().cpu().split(counts)):
            row[name] = part.numpy()
    return rows


def video_features(model: nn.Module, loader: DataLoader) -> VideoFeatures:
    """Return the features of all videos of a list, each the mean over its views.

    Args:
        model: a :class:`~devias_mm.methods.base.DebiasRecognizer`.
        loader: from :func:`list_loader`.

    Raises:
        ListFileError: no video can be read.
        UsageError: the model has no features.
    """
    features_of = getattr(type(model), 'features', None)
    if features_of in (None, DebiasRecognizer.features):
        raise UsageError(f'{type(model).__name__} has no features of actions or scenes')
    ids: List[str] = []
    unreadable: List[str] = []
    labels: Dict[str, List[int]] = dict(action=[], scene=[])
    rows: Dict[str, List[np.ndarray]] = {}
    for sample, features in clip_features(model, loader, model.features):
        if features is None:
            unreadable.append(sample.video_id)
            continue
        ids.append(sample.video_id)
        labels['action'].append(int(sample.gt_label))
        labels['scene'].append(int(sample.get('scene_label', -1)))
        for task, views in features.items():
            rows.setdefault(task, []).append(views.mean(0))
    if not ids:
        raise ListFileError(f'none of the {len(unreadable)} videos of the list can be read: get '
                            'them anew')
    return VideoFeatures(ids, {task: np.array(values) for task, values in labels.items()},
                         {task: np.stack(values) for task, values in rows.items()},
                         unreadable)
