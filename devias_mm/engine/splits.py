"""Test splits of a config as data sets."""
import copy
from typing import Sequence

from mmaction.registry import DATASETS
from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope

from devias_mm.datasets.scene_labels import check_scene_teacher
from devias_mm.errors import ListFileError
from devias_mm.splits import choose_splits


def split_dataset(template: ConfigDict, changes: dict) -> ConfigDict:
    """Return the config of a split's data set: the template with what the split changes in it."""
    cfg = Config(dict(dataset=copy.deepcopy(dict(template))))
    cfg.merge_from_dict(dict(dataset=dict(changes)))
    return cfg.dataset


def check_test_lists(cfg: Config, splits: Sequence[str] = ()) -> None:
    """Read the lists of test splits and look for their videos; what is missing is logged.

    Args:
        cfg: the config.
        splits: names or patterns of the splits; by default those that ``test_cfg.selected``
            names, or all.

    Raises:
        ListFileError: a list or its scene labels cannot be used.
        FileNotFoundError: all videos of a split are missing.
    """
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    known = cfg.test_cfg.get('splits') or dict(test={})
    for split in choose_splits(known, splits or cfg.test_cfg.get('selected')):
        try:
            dataset = DATASETS.build(split_dataset(cfg.test_dataloader.dataset, known[split]))
            check_scene_teacher(dataset, cfg.model)
        except (ListFileError, FileNotFoundError) as error:
            raise type(error)(f'split {split!r}: {error}') from error
