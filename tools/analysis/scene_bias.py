"""How much of a data set's actions can be told from its scenes? B_scene of Choi et al. (Eq. 1).

    python tools/analysis/scene_bias.py CONFIG CHECKPOINT --out bias.csv --splits seen
    python tools/analysis/scene_bias.py --train scenes_train.parquet --test scenes_val.parquet \\
        --train-list TRAIN --test-list VAL --out bias.csv

A linear classifier learns the actions from scene features of the training videos; its accuracy
M(D, phi) on the test videos and chance M_rand give B = log(M / M_rand). CONFIG names the lists;
its `model.scene_teacher`, or its model, which must predict scenes, makes the features. Files hold
`video_id` and the scene probabilities (tools/data/pseudo_label_scenes.py, prediction tables) or
other `features`; the lists say the actions where the files do not.
"""
import argparse
import copy
import sys
from pathlib import Path
from typing import NamedTuple, Optional

import numpy as np
import pandas as pd

from devias_mm.builders.hat import SCORE_COLUMNS, scene_scores
from devias_mm.datasets.lists import read_list
from devias_mm.engine.inference import (
    list_loader,
    load_recognizer,
    training_list,
    video_features,
)
from devias_mm.engine.launch import add_common_arguments, choose_splits, load_config, set_threads
from devias_mm.errors import CheckpointError, ListFileError, UsageError
from devias_mm.evaluation.scene_bias import scene_representation_bias
from devias_mm.files import atomic_path


class Scenes(NamedTuple):
    """Scene features ``(n, D)`` and actions ``(n,)`` of the videos that could be read."""
    features: np.ndarray
    actions: np.ndarray
    unreadable: int


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', nargs='?', help='config file of the data set')
    parser.add_argument('checkpoint', nargs='?', help='of the scene model; file or URL')
    parser.add_argument('--out', required=True, type=Path, metavar='FILE.csv', help='the table')
    parser.add_argument('--splits', nargs='+', metavar='NAME', help='default: the first')
    files = parser.add_argument_group('cached features')
    for part in ('train', 'test'):
        files.add_argument(f'--{part}', metavar='FILE.parquet')
        files.add_argument(f'--{part}-list', metavar='LIST')
    files.add_argument('--columns', nargs='+', default=['filename', 'label'], metavar='COLUMN',
                       help='of the lists, from the left (default: filename label)')
    files.add_argument('--suffix', default='',
                       help='of files that the lists name without, such as .mp4 for HVU')
    files.add_argument('--num-classes', type=int, metavar='N',
                       help='actions of the data set, for M_rand (default: the highest label '
                       'and 1)')
    add_common_arguments(parser)
    return parser.parse_args()


def read_scenes(file: str, list_file: Optional[str], columns, suffix: str) -> Scenes:
    """Features from a file; the actions from it, or from the list.

    Raises:
        UsageError: no list, and no actions in the file; or listed videos without a row.
    """
    table = pd.read_parquet(file)
    rows = scene_scores(table, file, (*SCORE_COLUMNS, 'features'))
    if list_file:
        labels = {item['video_id']: item['label']
                  for item in read_list(list_file, columns, filename_suffix=suffix)}
        missing = sorted(set(labels) - set(table['video_id']))
        if missing:
            raise UsageError(f'{file} has no row for {len(missing)} of the {len(labels)} videos '
                             f'of {list_file}, such as {missing[0]}: label the whole list.')
    elif 'action_label' in table:
        labels = dict(zip(table['video_id'], table['action_label']))
    else:
        raise UsageError(f'{file} has no column action_label: give --train-list and --test-list.')
    names = [name for name in labels if name in rows.index]
    if not names:
        raise UsageError(f'{file}: none of its {len(labels)} videos could be read.')
    return Scenes(np.stack([np.asarray(row, np.float64) for row in rows.loc[names]]),
                  np.array([labels[name] for name in names]), len(labels) - len(names))


def scene_model(cfg):
    """Config of what sees the scenes: the teacher, or the model itself."""
    model = copy.deepcopy(cfg.model.get('scene_teacher') or cfg.model)
    model.pop('scene_teacher', None)
    preprocessor = copy.deepcopy(cfg.model.get('data_preprocessor') or dict(
        type='DebiasDataPreprocessor'))
    preprocessor.pop('augments', None)
    model.data_preprocessor = preprocessor
    return model


def list_scenes(cfg, model, changes: dict) -> Scenes:
    """Features of the videos of a list."""
    found = video_features(model, list_loader(cfg, changes))
    if 'scene' not in found.features:
        raise UsageError(f'{type(model).__name__} has no features of scenes: give a config with a '
                         '`model.scene_teacher`, or a model that predicts scenes.')
    return Scenes(found.features['scene'], found.labels['action'], len(found.unreadable))


def row_of(train: Scenes, test: Scenes, num_classes: Optional[int]) -> dict:
    """``B``, what it is made of, and how many videos."""
    if num_classes is None:
        num_classes = int(max(train.actions.max(), test.actions.max())) + 1
    known = train.actions >= 0
    found = scene_representation_bias(train.features[known], train.actions[known], test.features,
                                      test.actions, num_classes)
    return dict(bias=found.bias, accuracy_percent=found.accuracy, chance_percent=found.chance,
                num_classes=num_classes, train_videos=int(known.sum()),
                test_videos=int((test.actions >= 0).sum()),
                unreadable=train.unreadable + test.unreadable)


def from_files(args) -> list:
    """The row of two files."""
    if args.config or not (args.train and args.test) or \
            (args.train_list is None) != (args.test_list is None):
        raise UsageError('give CONFIG and CHECKPOINT; or --train and --test files, with both '
                         '--train-list and --test-list or neither.')
    train, test = (read_scenes(file, listed, args.columns, args.suffix) for file, listed in (
        (args.train, args.train_list), (args.test, args.test_list)))
    return [dict(split=Path(args.test).stem, **row_of(train, test, args.num_classes))]


def from_model(args) -> list:
    """A row for each test split of a config."""
    cfg = load_config(args)
    set_threads(args.threads)
    splits = dict(cfg.get('test_splits') or dict(test={}))
    chosen = choose_splits(splits, args.splits or [next(iter(splits))])
    cfg.model = scene_model(cfg)
    model = load_recognizer(cfg, args.checkpoint)
    if not hasattr(model, 'features'):
        raise UsageError(f'{type(model).__name__} gives probabilities only: cache them with '
                         'tools/data/pseudo_label_scenes.py, and give these files.')
    train = list_scenes(cfg, model, training_list(cfg))
    number = args.num_classes or cfg.get('num_classes')
    return [dict(split=name, **row_of(train, list_scenes(cfg, model, splits[name]), number))
            for name in chosen]


def main() -> None:
    args = parse_args()
    model = args.config and args.checkpoint and not (args.train or args.test)
    table = pd.DataFrame(from_model(args) if model else from_files(args))
    with atomic_path(args.out) as temporary:
        table.to_csv(temporary, index=False, float_format='%.4f')
    for row in table.itertuples():
        print(f'{row.split}: B = {row.bias:.3f} = log(M / M_rand), M(D, phi) = '
              f'{row.accuracy_percent:.2f} %, M_rand = {row.chance_percent:.2f} %; '
              f'{row.train_videos} training and {row.test_videos} test videos, '
              f'{row.unreadable} unreadable')
    print(f'wrote {args.out}')


if __name__ == '__main__':
    try:
        main()
    except (CheckpointError, ListFileError, OSError, UsageError, ValueError,
            NotImplementedError) as error:
        sys.exit(f'error: {error}')
