"""Draw training clips of a config, their foreground masks and what the recognizer sees of them.

    python tools/analysis/show_augments.py configs/fame/<cfg>.py --out work_dirs/fame.png

Clips come through the config's own pipeline, masks and composites from its data preprocessor.
"""
from devias_mm.cli import CONFIG_HELP, add_config_options, run_tool
from devias_mm.errors import UsageError


def add_arguments(parser):
    parser.add_argument('config', help=CONFIG_HELP)
    parser.add_argument('--out', required=True, metavar='FILE.png', help='picture to write')
    parser.add_argument('--clips', type=int, default=8,
                        help='clips, drawn from the training list (default: %(default)s)')
    parser.add_argument('--frames', type=int, default=3,
                        help='frames shown of each clip (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0,
                        help='of clips, crops and augmentations (default: %(default)s)')
    add_config_options(parser)


def read_clips(cfg, count, seed):
    """Return a collated batch of ``count`` training clips, drawn at random."""
    import numpy as np
    from mmaction.registry import DATASETS
    from mmengine.dataset import pseudo_collate
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    if count > len(dataset):
        raise UsageError(f'--clips {count}, but the training list has {len(dataset)} videos')
    indices = np.random.default_rng(seed).choice(len(dataset), count, replace=False).tolist()
    samples = [dataset[index] for index in indices]
    broken = [dataset.get_data_info(index)['filename']
              for index, sample in zip(indices, samples) if sample is None]
    if broken:
        raise UsageError(f'{broken[0]} cannot be read: choose other clips with --seed')
    return pseudo_collate(samples)


def main(args):
    from mmaction.registry import MODELS
    from mmengine.registry import init_default_scope
    from mmengine.runner import set_random_seed

    from devias_mm.engine.config import load_config
    from devias_mm.engine.runner import set_threads
    from devias_mm.visualization.overlays import augment_batch, draw_augments
    if not args.out.endswith('.png'):
        raise UsageError(f'--out must end with .png, got {args.out!r}')
    if args.clips < 1 or args.frames < 1:
        raise UsageError('--clips and --frames must be at least 1, got '
                         f'{args.clips} and {args.frames}')
    cfg = load_config(args)
    set_threads(args.threads)
    init_default_scope(cfg.default_scope)
    set_random_seed(args.seed)
    preprocessor = MODELS.build(cfg.model.data_preprocessor)
    batch = augment_batch(preprocessor, read_clips(cfg, args.clips, args.seed), args.seed)
    if batch.masks is None:
        print(f'{args.config} has no mask source among its augments: no masks are shown.')
    print(f'wrote {draw_augments(batch, args.out, args.frames)}')


if __name__ == '__main__':
    run_tool(main, add_arguments, __doc__)
