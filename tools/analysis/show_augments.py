"""Draw training clips of a config, their foreground masks and what the recognizer sees of them.

    python tools/analysis/show_augments.py configs/fame/<cfg>.py --out work_dirs/fame.png

Clips come through the config's own pipeline, masks and composites from its data preprocessor.
"""
import argparse
import os.path as osp
import sys

import numpy as np
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config, DictAction
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmengine.runner import set_random_seed

import devias_mm.register  # noqa: F401  (registers what configs name)
from devias_mm.errors import ListFileError
from devias_mm.visualization.overlays import augment_batch, draw_augments


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file')
    parser.add_argument('--out', required=True, metavar='FILE.png', help='picture to write')
    parser.add_argument('--clips', type=int, default=8,
                        help='clips, drawn from the training list (default: %(default)s)')
    parser.add_argument('--frames', type=int, default=3,
                        help='frames shown of each clip (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0,
                        help='of clips, crops and augmentations (default: %(default)s)')
    parser.add_argument('--data-root', help='replaces `data_root` of the dataset')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, default={},
                        metavar='KEY=VALUE', help='overrides of the config')
    return parser.parse_args()


def read_clips(cfg: Config, count: int, seed: int) -> dict:
    """A collated batch of ``count`` training clips, drawn at random."""
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    if count > len(dataset):
        raise ValueError(f'--clips {count}, but the training list has {len(dataset)} videos')
    indices = np.random.default_rng(seed).choice(len(dataset), count, replace=False)
    return pseudo_collate([dataset[int(index)] for index in indices])


def main() -> None:
    args = parse_args()
    if not args.out.endswith('.png'):
        raise ValueError(f'--out must end with .png, got {args.out!r}')
    if args.clips < 1 or args.frames < 1:
        raise ValueError('--clips and --frames must be at least 1, got '
                         f'{args.clips} and {args.frames}')
    if not osp.isfile(args.config):
        raise FileNotFoundError(f'config not found: {args.config}. The shipped ones are under '
                                'configs/.')
    cfg = Config.fromfile(args.config)
    cfg.merge_from_dict(args.cfg_options)
    if args.data_root is not None:
        cfg.train_dataloader.dataset.data_root = args.data_root
    init_default_scope(cfg.default_scope)
    set_random_seed(args.seed)
    preprocessor = MODELS.build(cfg.model.data_preprocessor)
    batch = augment_batch(preprocessor, read_clips(cfg, args.clips, args.seed), args.seed)
    if batch.masks is None:
        print(f'{args.config} has no mask source among its augments: no masks are shown.')
    print(f'wrote {draw_augments(batch, args.out, args.frames)}')


if __name__ == '__main__':
    try:
        main()
    except (FileNotFoundError, ListFileError, ValueError) as error:
        sys.exit(f'error: {error}')
