"""Are action and scene disentangled? k-NN on normal and reverse features (DEVIAS, Table 1).

    python tools/analysis/knn.py CONFIG CHECKPOINT --out knn.csv --splits seen unseen

The features of the training videos classify those of the test videos: ``A-A`` (action features,
action labels) and ``S-S`` show what a feature knows about its task; ``A-S`` and ``S-A`` put the
*other* feature of the test videos in front of the same neighbours. Where action and scene are
disentangled, these are near chance, which is printed too.
"""
from pathlib import Path

from devias_mm.cli import CONFIG_HELP, add_config_options, run_tool
from devias_mm.errors import UsageError

TASKS = dict(A='action', S='scene')
# {training feature}-{test feature}; the labels are those of the training feature's task
PAIRS = ('A-A', 'S-S', 'A-S', 'S-A')


def add_arguments(parser):
    parser.add_argument('config', help=CONFIG_HELP)
    parser.add_argument('checkpoint', help='checkpoint file or URL')
    parser.add_argument('--out', required=True, type=Path, metavar='FILE.csv', help='the table')
    parser.add_argument('--splits', nargs='+', metavar='NAME', help='default: the first')
    parser.add_argument('--k', type=int, nargs='+', default=(10, 20),
                        help='neighbours (default: 10 20)')
    add_config_options(parser)


def accuracies(train, test, k_values):
    """Return rows of ``pair``, ``k``, top-1 accuracy and chance in percent."""
    import numpy as np

    from devias_mm.evaluation.knn import knn_accuracy
    rows = []
    for pair in PAIRS:
        trained, tested = (TASKS[letter] for letter in pair.split('-'))
        if trained not in train.features or tested not in test.features:
            continue
        known = train.labels[trained] >= 0
        labels = test.labels[trained]
        if not known.any() or not (labels >= 0).any():
            continue
        if max(k_values) > known.sum():
            raise UsageError(f'--k: k={max(k_values)} is more than the {known.sum()} training '
                             f'videos that have a label of the {trained}')
        found = knn_accuracy(train.features[trained][known], train.labels[trained][known],
                             test.features[tested], labels, k_values)
        chance = 100 / len(np.unique(train.labels[trained][known]))
        for k, (top1, _) in found.items():
            rows.append(dict(pair=pair, k=k, top1_percent=top1, chance_percent=chance))
    return rows


def main(args):
    import pandas as pd

    from devias_mm.engine.config import load_config
    from devias_mm.engine.inference import (
        list_loader,
        load_recognizer,
        test_splits,
        training_list,
        video_features,
    )
    from devias_mm.engine.runner import set_threads
    from devias_mm.files import atomic_path
    from devias_mm.splits import choose_splits
    if min(args.k) < 1:
        raise UsageError(f'--k must be at least 1, got {min(args.k)}')
    cfg = load_config(args)
    set_threads(args.threads)
    splits = test_splits(cfg)
    chosen = choose_splits(splits, args.splits or [next(iter(splits))])
    model = load_recognizer(cfg, args.checkpoint)
    train = video_features(model, list_loader(cfg, training_list(cfg)))
    rows = []
    for name in chosen:
        test = video_features(model, list_loader(cfg, splits[name]))
        counts = dict(videos=len(test.video_ids), unreadable=len(test.unreadable))
        for row in accuracies(train, test, args.k):
            rows.append(dict(config=args.config, checkpoint=args.checkpoint, split=name, **row,
                             **counts))
    if not rows:
        raise UsageError('no action and no scene labels: nothing to classify')
    table = pd.DataFrame(rows)
    with atomic_path(args.out) as temporary:
        table.to_csv(temporary, index=False, float_format='%.4f')
    wide = table.pivot_table(index=['split', 'k'], columns='pair', values='top1_percent',
                             sort=False)
    print(wide.round(1).to_string())
    chance = table.drop_duplicates('pair').set_index('pair')['chance_percent'].round(1)
    print('chance: ' + ', '.join(f'{pair} {value}' for pair, value in chance.items()))
    print(f'wrote {args.out}')


if __name__ == '__main__':
    run_tool(main, add_arguments, __doc__)
