"""Test a checkpoint on named splits.

    python tools/test.py configs/devias/NAME.py work_dirs/NAME/epoch_100.pth
    python tools/test.py benchmarks/puppets.py:two-token-fame CHECKPOINT --splits 'unseen*'

Prediction tables and ``run.json`` go to the work dir. On several GPUs: tools/dist_test.sh,
tools/slurm_test.sh.
"""
import tempfile
import time
from pathlib import Path

from devias_mm.cli import CONFIG_HELP, add_config_options, add_launch_options, run_tool


def add_arguments(parser) -> None:
    from devias_mm.store.predictions import ON_ERROR
    parser.add_argument('config', help=CONFIG_HELP)
    parser.add_argument('checkpoint', help='checkpoint file or URL')
    parser.add_argument('--splits', nargs='+', metavar='NAME',
                        help="names or patterns such as 'hat-*'; default: those that "
                             'test_cfg.selected of the config names, or all')
    parser.add_argument('--on-error', choices=ON_ERROR, default='count-wrong',
                        help='an unreadable or missing video counts as wrong, is left out of the '
                             'printed accuracies, or stops the test (default: %(default)s)')
    parser.add_argument('--amp', action='store_true', help='predict in mixed precision')
    add_config_options(parser)
    add_launch_options(parser)


def merge_args(cfg, args) -> None:
    """Merge the options of testing into the config."""
    if cfg.get('test_cfg') is None or cfg.test_cfg.get('type') != 'MultiSplitTestLoop':
        cfg.test_cfg = dict(type='MultiSplitTestLoop', splits=cfg.get('test_splits'))
        cfg.test_evaluator = []
    if args.splits:
        cfg.test_cfg.selected = args.splits
    cfg.test_cfg.on_error = args.on_error
    if args.amp:
        cfg.test_cfg.fp16 = True
    cfg.load_from, cfg.resume = args.checkpoint, False


def print_table(folder, splits, metrics: dict, on_error: str) -> None:
    """Print top-1 accuracies and the videos that could not be read."""
    from rich.console import Console
    from rich.table import Table

    from devias_mm.store.predictions import read_predictions
    tasks = [task for task in ('action', 'scene')
             if any(key.endswith(f'/{task}_top1') for key in metrics)]
    table = Table('split', 'videos', *(f'{task} top-1 (%)' for task in tasks), 'unreadable')
    errors = []
    for split in splits:
        rows = read_predictions(folder.predictions(split))
        bad = rows[rows['error'].notna()]
        for row in bad.itertuples():
            errors.append(f'{split}: {row.video_id}: {row.error}')
        cells = []
        for task in tasks:
            value = metrics.get(f'{split}/{task}_top1')
            cells.append('-' if value is None else f'{value:.2f}')
        table.add_row(split, str(len(rows)), *cells, str(len(bad)))
    console = Console(soft_wrap=True)
    console.print(table)
    fate = 'left out' if on_error == 'skip' else 'counted as wrong'
    for line in errors:
        console.print(f'unreadable, {fate}: {line}', markup=False, highlight=False)


def dry_run(cfg, args, checkpoint: dict) -> None:
    """Build the model and the datasets and load one batch of each split."""
    from devias_mm.engine.runner import build_runner, describe_loader, describe_model
    from devias_mm.weights.checkpoints import check_weights
    with tempfile.TemporaryDirectory() as folder:
        cfg.work_dir = folder
        runner = build_runner(cfg, args.threads)
        check_weights(runner.model, checkpoint, args.checkpoint)
        loop = runner.test_loop
        lines = [describe_model(runner)]
        for split in loop.selected:
            lines.append(describe_loader(split, loop.build_dataloader(split)))
    print('\n'.join(['dry run, nothing was tested', *lines]))


def main(args) -> None:
    from mmengine.dist import is_main_process

    from devias_mm.engine.check_config import check_config
    from devias_mm.engine.runner import build_runner
    from devias_mm.harness.rows import load_config
    from devias_mm.store.identity import config_identity
    from devias_mm.store.run_folder import RunFolder
    from devias_mm.store.run_record import run_record, write_run_record
    from devias_mm.weights.checkpoints import check_weights
    from devias_mm.weights.reading import load_checkpoint_file
    cfg = load_config(args)
    check_config(cfg, training=False)
    identity = config_identity(cfg)  # of the recipe, without the options of this test
    merge_args(cfg, args)
    checkpoint = load_checkpoint_file(args.checkpoint)
    if args.dry_run:
        dry_run(cfg, args, checkpoint)
        return
    runner = build_runner(cfg, args.threads)
    check_weights(runner.model, checkpoint, args.checkpoint)
    start = time.perf_counter()
    metrics = runner.test()
    if is_main_process():
        splits = runner.test_loop.selected
        folder = RunFolder(Path(cfg.work_dir), identity)
        write_run_record(folder, run_record(cfg, identity, args.checkpoint, checkpoint,
                                            runner.seed, time.perf_counter() - start, splits))
        print_table(folder, splits, metrics, args.on_error)


if __name__ == '__main__':
    run_tool(main, add_arguments, __doc__)
