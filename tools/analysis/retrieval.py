"""Nearest-neighbour retrieval with the features of a pre-trained encoder (DSM, Tables 2 and 3).

    python tools/analysis/retrieval.py CONFIG CHECKPOINT --out retrieval.csv
    python tools/analysis/retrieval.py CONFIG --random-init --out retrieval.csv

Clips of the training list are the gallery, clips of the test splits the queries; a query is a
hit at k if one of the k nearest gallery clips (cosine) is of its class. Clips are those of the
config's test pipeline; the features are the encoder's map after adaptive max pooling, as in the
paper. Any config with a token backbone will do, a classifier's too.
"""
import sys
from pathlib import Path

from devias_mm.cli import CONFIG_HELP, add_config_options, run_tool
from devias_mm.errors import UsageError

KS = (1, 5, 10, 20, 50)


def add_arguments(parser):
    parser.add_argument('config', help=CONFIG_HELP)
    parser.add_argument('checkpoint', nargs='?', help='checkpoint file or URL')
    parser.add_argument('--random-init', action='store_true',
                        help='features of an untrained encoder, for comparison')
    parser.add_argument('--out', required=True, type=Path, metavar='FILE.csv', help='the table')
    parser.add_argument('--splits', nargs='+', metavar='NAME',
                        help='query splits; default: those with actions that the config '
                        'selects, or all of them')
    parser.add_argument('--gallery', metavar='FILE',
                        help='its list, relative to data_root; default: the training list')
    parser.add_argument('--pool', type=int, nargs=3, default=(2, 7, 7), metavar=('T', 'H', 'W'),
                        help='cells of the adaptive max pooling, at most the cells of the map '
                        '(default: 2 7 7); 1 1 1 makes small features')
    parser.add_argument('--k', type=int, nargs='+', default=KS,
                        help=f'retrieved clips (default: {" ".join(map(str, KS))})')
    parser.add_argument('--seed', type=int, default=0, help='of --random-init (default: 0)')
    add_config_options(parser)


def pool(features, cells):
    """Pool a token map to at most ``cells`` by adaptive maxima, flattened: ``(B, D * cells)``."""
    from torch.nn.functional import adaptive_max_pool3d
    maps = features.tokens.transpose(1, 2).unflatten(2, features.grid)
    size = [min(wanted, have) for wanted, have in zip(cells, features.grid)]
    return adaptive_max_pool3d(maps.float(), size).flatten(1)


def encode(model, cfg, changes, cells):
    """Encode all clips of a list.

    Args:
        model (nn.Module): with ``extract_feat``.
        cfg (Config): ``test_dataloader`` is the template of the data set.
        changes (dict): what the list changes in it.
        cells (Sequence[int]): of :func:`pool`.

    Returns:
        tuple: features ``(n, D)`` and action classes ``(n,)`` of the clips, an unreadable video
        as one clip of NaN, and the names of these videos.
    """
    import numpy as np

    from devias_mm.engine.inference import list_loader
    rows, labels, unreadable = [], [], []
    for batch in list_loader(cfg, changes):
        found = encode_batch(model, batch, cells)
        for clips, sample in zip(batch['inputs'], batch['data_samples']):
            if 'error' in sample:
                unreadable.append(sample.video_id)
                rows.append(None)
                labels.append(int(sample.gt_label))
            else:
                rows += [next(found) for _ in clips]
                labels += [int(sample.gt_label)] * len(clips)
    width = max([len(row) for row in rows if row is not None], default=1)
    missing = np.full(width, np.nan, dtype=np.float32)
    features = np.stack([missing if row is None else row for row in rows])
    return features, np.array(labels), unreadable


def encode_batch(model, batch, cells):
    """Return an iterator of the features of all clips of the readable videos of a batch."""
    import torch

    # videos have different numbers of clips: each clip is a sample of one view
    views, samples = [], []
    for clips, sample in zip(batch['inputs'], batch['data_samples']):
        if 'error' not in sample:
            views += [clip[None] for clip in clips]
            samples += [sample] * len(clips)
    if not views:
        return iter(())
    with torch.no_grad():
        data = model.data_preprocessor(dict(inputs=views, data_samples=samples))
        features = model.extract_feat(data['inputs'].flatten(0, 1))
        return iter(pool(features, cells).cpu().numpy())


def main(args):
    import numpy as np
    import pandas as pd

    from devias_mm.engine.config import load_config
    from devias_mm.engine.inference import load_recognizer, test_splits, training_list
    from devias_mm.engine.runner import set_threads
    from devias_mm.evaluation.retrieval import retrieval_recall
    from devias_mm.files import atomic_path, file_sha256
    from devias_mm.splits import choose_splits
    if (args.checkpoint is None) != args.random_init:
        raise UsageError('give either a checkpoint or --random-init')
    if min(args.pool) < 1 or min(args.k) < 1:
        raise UsageError('--pool and --k must be at least 1')
    cfg = load_config(args)
    set_threads(args.threads)
    splits = test_splits(cfg)
    # by default as tools/test.py: the others need files of their own
    selected = choose_splits(splits, args.splits or cfg.test_cfg.get('selected'))
    gallery_list = training_list(cfg, args.gallery)
    model = load_recognizer(cfg, args.checkpoint, args.seed)
    if not hasattr(model, 'extract_feat'):
        raise UsageError(f'{type(model).__name__} has no map of tokens: give a config with a '
                         'token backbone')
    gallery, gallery_labels, broken = encode(model, cfg, gallery_list, args.pool)
    if broken:
        print(f'unreadable, left out of the gallery: {", ".join(broken)}', file=sys.stderr)
    known = np.isfinite(gallery).all(1) & (gallery_labels >= 0)
    if not known.any():
        raise UsageError(f'{gallery_list["ann_file"]} has no readable video with an action: '
                         'name another --gallery')
    checkpoint, digest = f'random init, seed {args.seed}', ''
    if args.checkpoint:
        checkpoint = args.checkpoint
        if Path(checkpoint).is_file():
            digest = file_sha256(checkpoint)
    rows = []
    for name in selected:
        queries, labels, broken = encode(model, cfg, splits[name], args.pool)
        labelled = labels >= 0
        if not labelled.any():
            print(f'{name}: no actions, no queries', file=sys.stderr)
            continue
        if broken:
            print(f'{name}: unreadable, counted as wrong: {", ".join(broken)}', file=sys.stderr)
        recall = retrieval_recall(queries[labelled], labels[labelled], gallery[known],
                                  gallery_labels[known], args.k)
        for k, value in recall.items():
            rows.append(dict(
                config=args.config, checkpoint=checkpoint, checkpoint_sha256=digest,
                gallery=gallery_list['ann_file'], gallery_clips=int(known.sum()), split=name,
                queries=int(labelled.sum()), unreadable=len(broken),
                pool='x'.join(map(str, args.pool)), k=k, recall_percent=round(value, 4)))
        print(f'{name}: ' + ', '.join(f'R@{k} {value:.1f}' for k, value in recall.items()))
    if not rows:
        raise UsageError(f'none of the splits {sorted(selected)} of '
                         f'{cfg.test_dataloader.dataset.data_root} has actions')
    with atomic_path(args.out) as temporary:
        pd.DataFrame(rows).to_csv(temporary, index=False)
    print(f'wrote {args.out}')


if __name__ == '__main__':
    run_tool(main, add_arguments, __doc__)
