"""Train a recognizer.

    python tools/train.py configs/devias/NAME.py
    python tools/train.py benchmarks/puppets.py:two-token-fame
    python tools/train.py benchmarks/puppets_ladder.py:fame@rho0.90

On several GPUs: tools/dist_train.sh, tools/slurm_train.sh.
"""
import tempfile

from devias_mm.cli import CONFIG_HELP, add_config_options, add_launch_options, run_tool


def add_arguments(parser) -> None:
    parser.add_argument('config', help=CONFIG_HELP)
    add_config_options(parser)
    add_launch_options(parser)
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


def merge_args(cfg, args) -> None:
    """Merge the options of training into the config."""
    if args.amp:
        use_mixed_precision(cfg)
    if args.auto_scale_lr:
        scale_learning_rate(cfg, args.config)
    cfg.randomness = cfg.get('randomness') or {}
    if args.seed is not None or cfg.randomness.get('seed') is None:
        cfg.randomness.seed = args.seed or 0
    if args.resume is not None:
        resume(cfg, args.resume)


def use_mixed_precision(cfg) -> None:
    """Train in mixed precision."""
    from mmengine.device import get_device

    from devias_mm.errors import UsageError
    kind = cfg.optim_wrapper.get('type', 'OptimWrapper')
    if kind not in ('OptimWrapper', 'AmpOptimWrapper'):
        raise UsageError(f'--amp does not work with the optimizer wrapper {kind}; accepted: '
                         'OptimWrapper, AmpOptimWrapper.')
    if get_device() == 'cpu':
        raise UsageError('--amp trains on a GPU only, and there is none: leave it out.')
    cfg.optim_wrapper.type = 'AmpOptimWrapper'
    cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')


def scale_learning_rate(cfg, name: str) -> None:
    """Scale the learning rate by the actual batch size."""
    from devias_mm.errors import UsageError
    if 'base_batch_size' not in cfg.get('auto_scale_lr', {}):
        raise UsageError('--auto-scale-lr needs `auto_scale_lr = dict(base_batch_size=...)` '
                         f'in {name}.')
    cfg.auto_scale_lr.enable = True


def resume(cfg, checkpoint: str) -> None:
    """Resume from a checkpoint, or from the newest one with ``'auto'``."""
    from devias_mm.weights.checkpoints import find_resumable
    from devias_mm.weights.reading import load_checkpoint_file
    if checkpoint != 'auto':
        load_checkpoint_file(checkpoint)  # an error that names the file, where it is unusable
    else:
        checkpoint = find_resumable(cfg.work_dir)
        if checkpoint is None:
            print(f'nothing to resume in {cfg.work_dir}: training from the beginning')
            return
        print(f'resuming from {checkpoint}')
    cfg.load_from, cfg.resume = checkpoint, True


def train_loader(runner):
    """Return the training's loader, which must have a batch."""
    from devias_mm.errors import ListFileError
    loader = runner.train_loop.dataloader
    if len(loader) == 0:
        raise ListFileError(f'{len(loader.dataset)} training videos make no batch of '
                            f'{loader.batch_size} (drop_last): add videos, or lower '
                            'train_dataloader.batch_size.')
    return loader


def dry_run(cfg, args) -> None:
    """Build the model, optimizer and datasets and load one batch of each."""
    from devias_mm.engine.runner import build_runner, describe_loader, describe_model
    from devias_mm.engine.start import check_load_from
    with tempfile.TemporaryDirectory() as folder:
        cfg.work_dir = folder
        runner = build_runner(cfg, args.threads)
        check_load_from(runner, cfg)
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


def main(args) -> None:
    from devias_mm.engine.check_config import check_config
    from devias_mm.engine.runner import build_runner
    from devias_mm.engine.splits import check_test_lists
    from devias_mm.engine.start import check_load_from, check_pretrained
    from devias_mm.harness.rows import load_config
    cfg = load_config(args)
    check_config(cfg, training=True)
    merge_args(cfg, args)
    check_pretrained(cfg)
    if args.dry_run:
        dry_run(cfg, args)
        return
    if args.check_test_lists is not None:
        check_test_lists(cfg, args.check_test_lists)
    runner = build_runner(cfg, args.threads, strategy=True)
    check_load_from(runner, cfg)
    train_loader(runner)
    runner.train()


if __name__ == '__main__':
    run_tool(main, add_arguments, __doc__)
