"""How well can a data set's actions be told from its scenes? B_scene of Choi et al. (Eq. 1).

    python tools/analysis/scene_bias.py CONFIG CHECKPOINT --out bias.csv --splits seen
    python tools/analysis/scene_bias.py --train scenes_train.parquet --test scenes_val.parquet \\
        --train-list TRAIN --test-list VAL --out bias.csv

A linear classifier learns the actions from scene features of the training videos; its accuracy
M(D, phi) on the test videos and chance M_rand give B = log(M / M_rand). CONFIG names the lists;
its `model.scene_teacher`, or its model, which must predict scenes, makes the features. Files hold
`video_id` and the scene probabilities (tools/data/pseudo_label_scenes.py, prediction tables) or
other `features`; the lists say the actions where the files do not.
"""
import copy
from pathlib import Path

from devias_mm.cli import CONFIG_HELP, add_config_options, run_tool
from devias_mm.errors import MissingFileError, UsageError


def add_arguments(parser):
    parser.add_argument('config', nargs='?', help=CONFIG_HELP)
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
    add_config_options(parser)


class Scenes:
    """Scene features of the videos that could be read.

    Args:
        features (np.ndarray): ``(n, D)``.
        actions (np.ndarray): action classes, ``(n,)``; -1 = none.
        unreadable (int): how many videos have no features.
    """

    def __init__(self, features, actions, unreadable):
        self.features = features
        self.actions = actions
        self.unreadable = unreadable


def read_table(file):
    """Read a Parquet file.

    Raises:
        MissingFileError: there is no such file.
        UsageError: it is no Parquet file.
    """
    import pandas as pd
    import pyarrow as pa
    if not Path(file).is_file():
        raise MissingFileError(f'file of scene features not found: {file}; make it with '
                               'tools/data/pseudo_label_scenes.py, or give CONFIG and CHECKPOINT')
    try:
        return pd.read_parquet(file)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UsageError(f'{file} is no Parquet file, or truncated ({type(error).__name__}): make '
                         'it again with tools/data/pseudo_label_scenes.py') from error


def read_scenes(file, list_file, columns, suffix):
    """Read features from a file, and the actions from it or from the list.

    Raises:
        UsageError: no list, and no actions in the file; or listed videos without a row.
    """
    import numpy as np

    from devias_mm.builders.hat import SCORE_COLUMNS, scene_scores
    from devias_mm.datasets.lists import read_list
    table = read_table(file)
    try:
        rows = scene_scores(table, file, (*SCORE_COLUMNS, 'features'))
    except ValueError as error:
        raise UsageError(str(error)) from error
    if list_file:
        items = read_list(list_file, columns, filename_suffix=suffix)
        labels = {item['video_id']: item['label'] for item in items}
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
    features = np.stack([np.asarray(row, np.float64) for row in rows.loc[names]])
    actions = np.array([labels[name] for name in names])
    return Scenes(features, actions, len(labels) - len(names))


def scene_model(cfg):
    """Return the config of what sees the scenes: the teacher, or the model itself."""
    model = copy.deepcopy(cfg.model.get('scene_teacher') or cfg.model)
    model.pop('scene_teacher', None)
    preprocessor = cfg.model.get('data_preprocessor') or dict(type='DebiasDataPreprocessor')
    model.data_preprocessor = copy.deepcopy(preprocessor)
    model.data_preprocessor.pop('augments', None)
    return model


def list_scenes(cfg, model, changes):
    """Compute features of the videos of a list."""
    from devias_mm.engine.inference import list_loader, video_features
    found = video_features(model, list_loader(cfg, changes))
    if 'scene' not in found.features:
        raise UsageError(f'{type(model).__name__} has no features of scenes: give a config with a '
                         '`model.scene_teacher`, or a model that predicts scenes.')
    return Scenes(found.features['scene'], found.labels['action'], len(found.unreadable))


def row_of(train, test, num_classes):
    """Return ``B``, what it is made of, and how many videos."""
    from devias_mm.evaluation.scene_bias import scene_representation_bias
    if num_classes is None:
        num_classes = int(max(train.actions.max(), test.actions.max())) + 1
    known = train.actions >= 0
    try:
        found = scene_representation_bias(train.features[known], train.actions[known],
                                          test.features, test.actions, num_classes)
    except ValueError as error:
        raise UsageError(str(error)) from error
    return dict(bias=found.bias, accuracy_percent=found.accuracy, chance_percent=found.chance,
                num_classes=num_classes, train_videos=int(known.sum()),
                test_videos=int((test.actions >= 0).sum()),
                unreadable=train.unreadable + test.unreadable)


def from_files(args):
    """Return the row of two files."""
    both_files = args.train and args.test
    one_list = (args.train_list is None) != (args.test_list is None)
    if args.config or not both_files or one_list:
        raise UsageError('give CONFIG and CHECKPOINT; or --train and --test files, with both '
                         '--train-list and --test-list or neither.')
    train = read_scenes(args.train, args.train_list, args.columns, args.suffix)
    test = read_scenes(args.test, args.test_list, args.columns, args.suffix)
    if train.features.shape[1] != test.features.shape[1]:
        raise UsageError(f'{args.train} has {train.features.shape[1]} features a video and '
                         f'{args.test} {test.features.shape[1]}: make both with one model.')
    return [dict(split=Path(args.test).stem, **row_of(train, test, args.num_classes))]


def from_model(args):
    """Return a row for each test split of a config."""
    from devias_mm.engine.config import load_config
    from devias_mm.engine.inference import load_recognizer, test_splits, training_list
    from devias_mm.engine.runner import set_threads
    from devias_mm.splits import choose_splits
    cfg = load_config(args)
    set_threads(args.threads)
    splits = test_splits(cfg)
    chosen = choose_splits(splits, args.splits or [next(iter(splits))])
    cfg.model = scene_model(cfg)
    model = load_recognizer(cfg, args.checkpoint)
    if not hasattr(model, 'features'):
        raise UsageError(f'{type(model).__name__} gives probabilities only: cache them with '
                         'tools/data/pseudo_label_scenes.py, and give these files.')
    train = list_scenes(cfg, model, training_list(cfg))
    number = args.num_classes or cfg.get('num_classes')
    rows = []
    for name in chosen:
        test = list_scenes(cfg, model, splits[name])
        rows.append(dict(split=name, **row_of(train, test, number)))
    return rows


def main(args):
    import pandas as pd

    from devias_mm.files import atomic_path
    with_model = args.config and args.checkpoint and not (args.train or args.test)
    table = pd.DataFrame(from_model(args) if with_model else from_files(args))
    with atomic_path(args.out) as temporary:
        table.to_csv(temporary, index=False, float_format='%.4f')
    for row in table.itertuples():
        print(f'{row.split}: B = {row.bias:.3f} = log(M / M_rand), M(D, phi) = '
              f'{row.accuracy_percent:.2f} %, M_rand = {row.chance_percent:.2f} %; '
              f'{row.train_videos} training and {row.test_videos} test videos, '
              f'{row.unreadable} unreadable')
    print(f'wrote {args.out}')


if __name__ == '__main__':
    run_tool(main, add_arguments, __doc__)
