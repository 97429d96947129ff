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
from typing import Iterator, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.device import get_device
from mmengine.registry import init_default_scope
from mmengine.runner import set_random_seed
from torch.utils.data import DataLoader

from devias_mm.datasets import ListFileError
from devias_mm.engine.checkpoints import CheckpointError, check_weights, load_checkpoint_file
from devias_mm.engine.launch import UsageError, add_common_arguments, load_config, set_threads
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
                        help='query splits; default: all of the config with actions')
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


def load_model(cfg: Config, checkpoint: Optional[str], seed: int) -> torch.nn.Module:
    """The recognizer of the config with the weights of the checkpoint, ready to predict."""
    set_random_seed(seed)
    model = MODELS.build(cfg.model)
    if checkpoint is None:
        model.init_weights()
    else:
        state = load_checkpoint_file(checkpoint)
        check_weights(model, state, checkpoint)
        model.load_state_dict(state['state_dict'], strict=False)
    return model.to(get_device()).eval()


def batches(cfg: Config, dataset: torch.utils.data.Dataset) -> Iterator[dict]:
    """Collated batches of a data set in list order."""
    loader = cfg.test_dataloader
    return iter(DataLoader(dataset, loader.batch_size, collate_fn=pseudo_collate,
                           num_workers=loader.get('num_workers', 0)))


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
    node = Config(dict(dataset=cfg.test_dataloader.dataset.to_dict()))
    node.merge_from_dict(dict(dataset=dict(changes)))
    features, labels, unreadable = [], [], []
    for batch in batches(cfg, DATASETS.build(node.dataset)):
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
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    template = cfg.test_dataloader.dataset
    splits = dict(cfg.get('test_splits') or dict(test={}))
    unknown = [name for name in args.splits or () if name not in splits]
    if unknown:
        raise UsageError(f'unknown split(s) {unknown}; accepted: {sorted(splits)}')
    train = cfg.train_dataloader.dataset
    gallery_list = dict(ann_file=args.gallery or train.ann_file)
    if 'data_prefix' in train:
        gallery_list['data_prefix'] = dict(train.data_prefix)
    model = load_model(cfg, args.checkpoint, args.seed)
    gallery, broken = encode(model, cfg, gallery_list, args.pool)
    if broken:
        print(f'unreadable, left out of the gallery: {", ".join(broken)}', file=sys.stderr)
    known = np.isfinite(gallery.features).all(1) & (gallery.labels >= 0)
    rows = []
    for name in args.splits or splits:
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
        raise UsageError(f'none of the splits {sorted(args.splits or splits)} of '
                         f'{template.data_root} has actions')
    with atomic_path(args.out) as temporary:
        pd.DataFrame(rows).to_csv(temporary, index=False)
    print(f'wrote {args.out}')


if __name__ == '__main__':
    try:
        main()
    except (CheckpointError, ListFileError, FileNotFoundError, UsageError, ValueError) as error:
        sys.exit(f'error: {error}')
