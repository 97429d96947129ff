"""Nearest-neighbour retrieval with the features of a pre-trained encoder (DSM, Tables 2 and 3).

    python tools/analysis/retrieval.py CONFIG CHECKPOINT --out retrieval.csv
    python tools/analysis/retrieval.py CONFIG --random-init --out retrieval.csv

Clips of the training list are the gallery, clips of the test splits the queries; a query is a
hit at k if one of the k nearest gallery clips (cosine) is of its class. Clips are those of the
config's test pipeline; the features are the encoder's map after adaptive max pooling, as in the
paper. Any config with a token backbone will do, a classifier's too.
"""
import argparse
import sys
from pathlib import Path
from typing import NamedTuple, Sequence, Tuple

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from mmengine.config import Config

from devias_mm.engine.inference import list_loader, load_recognizer, training_list
from devias_mm.engine.launch import add_common_arguments, choose_splits, load_config, set_threads
from devias_mm.errors import CheckpointError, ListFileError, UsageError
from devias_mm.evaluation.retrieval import KS, retrieval_recall
from devias_mm.files import atomic_path, file_sha256
from devias_mm.layers import TokenFeatures


class Clips(NamedTuple):
    """Features ``(n, D)`` and action classes ``(n,)`` of clips; NaN where unreadable."""
    features: np.ndarray
    labels: np.ndarray


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file')
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
    add_common_arguments(parser)
    return parser.parse_args()


def pool(features: TokenFeatures, cells: Sequence[int]) -> torch.Tensor:
    """Adaptive max pooling of a token map to at most ``cells``, flattened: ``(B, D * cells)``."""
    maps = features.tokens.transpose(1, 2).unflatten(2, features.grid)
    size = [min(wanted, have) for wanted, have in zip(cells, features.grid)]
    return F.adaptive_max_pool3d(maps.float(), size).flatten(1)


@torch.no_grad()
def encode(model: torch.nn.Module, cfg: Config, changes: dict,
           cells: Sequence[int]) -> Tuple[Clips, list]:
    """Encode all clips of a list.

    Args:
        model (nn.Module): with ``extract_feat``.
        cfg (Config): ``test_dataloader`` is the template of the data set.
        changes (dict): what the list changes in it.
        cells (Sequence[int]): of :func:`pool`.

    Returns:
        tuple: the clips, an unreadable video as one clip of NaN, and the names of these videos.
    """
    features, labels, unreadable = [], [], []
    for batch in list_loader(cfg, changes):
        for clips, sample in zip(batch['inputs'], batch['data_samples']):
            count = max(len(clips), 1)
            labels += [int(sample.gt_label)] * count
        readable = [i for i, sample in enumerate(batch['data_samples']) if 'error' not in sample]
        unreadable += [sample.video_id for sample in batch['data_samples'] if 'error' in sample]
        # videos have different numbers of clips: each clip is a sample of one view
        single = [(clip[None], batch['data_samples'][i])
                  for i in readable for clip in batch['inputs'][i]]
        found = np.zeros((0, 0))
        if single:
            inputs, samples = zip(*single)
            data = model.data_preprocessor(dict(inputs=list(inputs), data_samples=list(samples)))
            found = pool(model.extract_feat(data['inputs'].flatten(0, 1)), cells).cpu().numpy()
        rows = iter(found)
        for clips, sample in zip(batch['inputs'], batch['data_samples']):
            features += [None] if 'error' in sample else [next(rows) for _ in clips]
    width = next((len(row) for row in features if row is not None), 1)
    empty = np.full(width, np.nan, dtype=np.float32)
    return Clips(np.stack([empty if row is None else row for row in features]),
                 np.array(labels)), unreadable


def main() -> None:
    args = parse_args()
    if (args.checkpoint is None) != args.random_init:
        raise UsageError('give either a checkpoint or --random-init')
    if min(args.pool) < 1 or min(args.k) < 1:
        raise UsageError('--pool and --k must be at least 1')
    cfg = load_config(args)
    set_threads(args.threads)
    template = cfg.test_dataloader.dataset
    splits = dict(cfg.get('test_splits') or dict(test={}))
    # by default as tools/test.py: the others need files of their own
    selected = choose_splits(splits, args.splits or cfg.test_cfg.get('selected'))
    gallery_list = training_list(cfg, args.gallery)
    model = load_recognizer(cfg, args.checkpoint, args.seed)
    gallery, broken = encode(model, cfg, gallery_list, args.pool)
    if broken:
        print(f'unreadable, left out of the gallery: {", ".join(broken)}', file=sys.stderr)
    known = np.isfinite(gallery.features).all(1) & (gallery.labels >= 0)
    rows = []
    for name in selected:
        query, broken = encode(model, cfg, splits[name], args.pool)
        labelled = query.labels >= 0
        if not labelled.any():
            print(f'{name}: no actions, no queries', file=sys.stderr)
            continue
        if broken:
            print(f'{name}: unreadable, counted as wrong: {", ".join(broken)}', file=sys.stderr)
        recall = retrieval_recall(query.features[labelled], query.labels[labelled],
                                  gallery.features[known], gallery.labels[known], args.k)
        rows += [dict(
            config=args.config, checkpoint=args.checkpoint or f'random init, seed {args.seed}',
            checkpoint_sha256=file_sha256(args.checkpoint)
            if args.checkpoint and Path(args.checkpoint).is_file() else '',
            gallery=gallery_list['ann_file'], gallery_clips=int(known.sum()), split=name,
            queries=int(labelled.sum()), unreadable=len(broken),
            pool='x'.join(map(str, args.pool)), k=k, recall_percent=round(value, 4))
            for k, value in recall.items()]
        print(f'{name}: ' + ', '.join(f'R@{k} {value:.1f}' for k, value in recall.items()))
    if not rows:
        raise UsageError(f'none of the splits {sorted(selected)} of '
                         f'{template.data_root} has actions')
    with atomic_path(args.out) as temporary:
        pd.DataFrame(rows).to_csv(temporary, index=False)
    print(f'wrote {args.out}')


if __name__ == '__main__':
    try:
        main()
    except (CheckpointError, ListFileError, FileNotFoundError, UsageError, ValueError) as error:
        sys.exit(f'error: {error}')
