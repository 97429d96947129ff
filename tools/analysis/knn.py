"""Are action and scene disentangled? k-NN on normal and reverse features (DEVIAS, Table 1).

    python tools/analysis/knn.py CONFIG CHECKPOINT --out knn.csv --splits seen unseen

The features of the training videos classify those of the test videos: ``A-A`` (action features,
action labels) and ``S-S`` show what a feature knows about its task; ``A-S`` and ``S-A`` put the
*other* feature of the test videos in front of the same neighbours. Where action and scene are
disentangled, these are near chance, which is printed too.
"""
import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from devias_mm.engine.inference import (
    list_loader,
    load_recognizer,
    training_list,
    video_features,
)
from devias_mm.engine.launch import add_common_arguments, choose_splits, load_config, set_threads
from devias_mm.errors import CheckpointError, ListFileError, UsageError
from devias_mm.evaluation.knn import knn_accuracy
from devias_mm.files import atomic_path

TASKS = dict(A='action', S='scene')
# {training feature}-{test feature}; the labels are those of the training feature's task
PAIRS = ('A-A', 'S-S', 'A-S', 'S-A')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file or URL')
    parser.add_argument('--out', required=True, type=Path, metavar='FILE.csv', help='the table')
    parser.add_argument('--splits', nargs='+', metavar='NAME', help='default: the first')
    parser.add_argument('--k', type=int, nargs='+', default=(10, 20),
                        help='neighbours (default: 10 20)')
    add_common_arguments(parser)
    return parser.parse_args()


def accuracies(train, test, k_values) -> list:
    """Rows of ``pair``, ``k``, top-1 accuracy and chance in percent."""
    rows = []
    for pair in PAIRS:
        trained, tested = (TASKS[letter] for letter in pair.split('-'))
        if trained not in train.features or tested not in test.features:
            continue
        known, labels = train.labels[trained] >= 0, test.labels[trained]
        if not known.any() or not (labels >= 0).any():
            continue
        found = knn_accuracy(train.features[trained][known], train.labels[trained][known],
                             test.features[tested], labels, k_values)
        chance = 100 / len(np.unique(train.labels[trained][known]))
        rows += [dict(pair=pair, k=k, top1_percent=top1, chance_percent=chance)
                 for k, (top1, _) in found.items()]
    return rows


def main() -> None:
    args = parse_args()
    cfg = load_config(args)
    set_threads(args.threads)
    splits = dict(cfg.get('test_splits') or dict(test={}))
    chosen = choose_splits(splits, args.splits or [next(iter(splits))])
    model = load_recognizer(cfg, args.checkpoint)
    train = video_features(model, list_loader(cfg, training_list(cfg)))
    rows = []
    for name in chosen:
        test = video_features(model, list_loader(cfg, splits[name]))
        rows += [dict(config=args.config, checkpoint=args.checkpoint, split=name, **row,
                      videos=len(test.video_ids), unreadable=len(test.unreadable))
                 for row in accuracies(train, test, args.k)]
    if not rows:
        raise UsageError('no action and no scene labels: nothing to classify')
    table = pd.DataFrame(rows)
    with atomic_path(args.out) as temporary:
        table.to_csv(temporary, index=False, float_format='%.4f')
    print(table.pivot_table(index=['split', 'k'], columns='pair', values='top1_percent',
                            sort=False).round(1).to_string())
    chance = table.drop_duplicates('pair').set_index('pair')['chance_percent'].round(1)
    print('chance: ' + ', '.join(f'{pair} {value}' for pair, value in chance.items()))
    print(f'wrote {args.out}')


if __name__ == '__main__':
    try:
        main()
    except (CheckpointError, ListFileError, FileNotFoundError, UsageError, ValueError,
            NotImplementedError) as error:
        sys.exit(f'error: {error}')
