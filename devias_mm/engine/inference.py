"""A trained recognizer on a list of videos, outside of MMEngine's runner."""
import copy
from typing import Dict, List, NamedTuple, Optional

import numpy as np
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.device import get_device
from mmengine.registry import init_default_scope
from mmengine.runner import set_random_seed
from torch import nn
from torch.utils.data import DataLoader, Dataset

from devias_mm.datasets.scene_labels import LABEL_OPTIONS, check_scene_teacher
from devias_mm.engine.launch import split_dataset
from devias_mm.engine.loops import split_unreadable
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
    """Build the recognizer of a config for prediction.

    Args:
        cfg: the config.
        checkpoint: file or URL of the weights; ``None``: random ones.
        seed: of random weights.

    Returns:
        nn.Module: in evaluation mode, on the GPU where there is one.

    Raises:
        CheckpointError: the checkpoint cannot be used, or is not the model's.
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
    """Batches of a list in its order, read by the config's test pipeline.

    Args:
        cfg: the config; ``test_dataloader`` is the template.
        changes: what the list changes in its data set, as in ``test_splits``.
    """
    dataset: Dataset = DATASETS.build(split_dataset(cfg.test_dataloader.dataset, changes))
    check_scene_teacher(dataset, cfg.model)
    return DataLoader(dataset, cfg.test_dataloader.batch_size, collate_fn=pseudo_collate,
                      num_workers=cfg.test_dataloader.get('num_workers', 0))


@torch.no_grad()
def video_features(model: nn.Module, loader: DataLoader) -> VideoFeatures:
    """Features of all videos of a list.

    Args:
        model: a :class:`~devias_mm.methods.base.DebiasRecognizer`.
        loader: from :func:`list_loader`.

    Raises:
        ListFileError: no video can be read.
        UsageError: the model has no features.
    """
    features = getattr(type(model), 'features', None)
    if features in (None, DebiasRecognizer.features):
        raise UsageError(f'{type(model).__name__} has no features of actions or scenes')
    ids, unreadable, labels, rows = [], [], dict(action=[], scene=[]), {}
    for batch in loader:
        batch, lost = split_unreadable(batch)
        unreadable += [sample.video_id for sample in lost]
        samples = batch['data_samples']
        if not samples:
            continue
        ids += [sample.video_id for sample in samples]
        labels['action'] += [int(sample.gt_label) for sample in samples]
        labels['scene'] += [int(sample.get('scene_label', -1)) for sample in samples]
        inputs = model.data_preprocessor(batch)['inputs']
        for task, values in model.features(inputs.flatten(0, 1)).items():
            views = values.float().unflatten(0, inputs.shape[:2])
            rows.setdefault(task, []).append(views.mean(1).cpu().numpy())
    if not ids:
        raise ListFileError(f'none of the {len(unreadable)} videos of the list can be read: get '
                            'them anew')
    return VideoFeatures(ids, {task: np.array(values) for task, values in labels.items()},
                         {task: np.concatenate(values) for task, values in rows.items()},
                         unreadable)
