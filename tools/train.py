"""Train a recognizer: ``python tools/train.py CONFIG``."""
import argparse
import sys
import tempfile

from mmengine.device import get_device

from devias_mm.engine.check_config import check_config
from devias_mm.engine.launch import (
    add_common_arguments,
    build_runner,
    check_pretrained,
    check_start,
    check_test_lists,
    describe_loader,
    describe_model,
    load_config,
)
from devias_mm.errors import ListFileError, UsageError, UserError
from devias_mm.weights.checkpoints import find_resumable, load_checkpoint_file


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Train a recognizer')
    parser.add_argument('config', help='config file')
    add_common_arguments(parser)
    parser.add_argument('--resume', nargs='?', const='auto', metavar='CKPT',
                        help='resume from CKPT, or from the newest usable checkpoint in the '
                        'work dir; without any, start from the beginning')
    parser.add_argument('--amp', action='store_true', help='automatic mixed precision')
    parser.add_argument('--auto-scale-lr', action='store_true',
                        help='scale the learning rate by the actual batch size over '
                        '`auto_scale_lr.base_batch_size`')
    parser.add_argument('--check-test-lists', nargs='*', metavar='SPLIT',
                        help='read the lists of these test splits (default: of those that the '
                        'config selects) and look for their videos before the training: a '
                        'warning names those that are missing, an error a split that has none')
    parser.add_argument('--seed', type=int, help="default: the config's, or 0")
    return parser.parse_args()


def merge_args(cfg, args) -> None:
    """Merge the options of training into the config."""
    if args.amp:
        kind = cfg.optim_wrapper.get('type', 'OptimWrapper')
        if kind not in ('OptimWrapper', 'AmpOptimWrapper'):
            raise UsageError(f'--amp does not work with the optimizer wrapper {kind}; accepted: '
                             'OptimWrapper, AmpOptimWrapper.')
        if get_device() == 'cpu':
            raise UsageError('--amp trains on a GPU only, and there is none: leave it out.')
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
    if args.auto_scale_lr:
        if 'base_batch_size' not in cfg.get('auto_scale_lr', {}):
            raise UsageError('--auto-scale-lr needs `auto_scale_lr = dict(base_batch_size=...)` '
                             f'in {args.config}.')
        cfg.auto_scale_lr.enable = True
    cfg.randomness = cfg.get('randomness') or {}
    if args.seed is not None or cfg.randomness.get('seed') is None:
        cfg.randomness.seed = args.seed or 0
    if args.resume == 'auto':
        newest = find_resumable(cfg.work_dir)
        if newest is None:
            print(f'nothing to resume in {cfg.work_dir}: training from the beginning')
        else:
            print(f'resuming from {newest}')
            cfg.load_from, cfg.resume = newest, True
    elif args.resume is not None:
        load_checkpoint_file(args.resume)  # an error that names the file, where it is unusable
        cfg.load_from, cfg.resume = args.resume, True
    check_pretrained(cfg)


def train_loader(runner):
    """The training's loader, which must have a batch."""
    loader = runner.train_loop.dataloader
    if len(loader) == 0:
        raise ListFileError(f'{len(loader.dataset)} training videos make no batch of '
                            f'{loader.batch_size} (drop_last): add videos, or lower '
                            'train_dataloader.batch_size.')
    return loader


def dry_run(cfg, args) -> None:
    """Build the model, optimizer and datasets and load one batch of each."""
    with tempfile.TemporaryDirectory() as folder:
        cfg.work_dir = folder
        runner = build_runner(cfg, args.threads)
        check_start(runner, cfg)
        optimizer = runner.build_optim_wrapper(runner.optim_wrapper).optimizer
        rates = [group['lr'] for group in optimizer.param_groups]
        lines = [describe_model(runner),
                 f'optimizer: {type(optimizer).__name__}, {len(rates)} parameter groups, '
                 f'learning rate {min(rates):.3g} to {max(rates):.3g}',
                 describe_loader('train', train_loader(runner), runner.model)]
        if cfg.get('val_cfg') is not None:
            lines.append(describe_loader('val', runner.val_loop.dataloader))
        lines.append(f'epochs: {runner.train_loop.max_epochs}, '
                     f'iterations: {runner.train_loop.max_iters}')
    print('\n'.join(['dry run, nothing was trained', *lines]))


def main() -> None:
    args = parse_args()
    cfg = load_config(args)
    check_config(cfg, training=True)
    merge_args(cfg, args)
    if args.dry_run:
        dry_run(cfg, args)
        return
    if args.check_test_lists is not None:
        check_test_lists(cfg, args.check_test_lists)
    runner = build_runner(cfg, args.threads, strategy=True)
    check_start(runner, cfg)
    train_loader(runner)
    runner.train()


if __name__ == '__main__':
    try:
        main()
    except (UserError, FileNotFoundError) as error:
        sys.exit(f'error: {error}')
