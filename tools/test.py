"""Test a checkpoint on named splits: ``python tools/test.py CONFIG CHECKPOINT``."""
import argparse
import os.path as osp
import sys
import tempfile
import time

from mmengine.dist import is_main_process
from rich.console import Console
from rich.table import Table

from devias_mm.engine.check_config import check_config
from devias_mm.engine.launch import (
    add_common_arguments,
    build_runner,
    describe_loader,
    describe_model,
    load_config,
)
from devias_mm.errors import UserError
from devias_mm.files import write_json
from devias_mm.store.predictions import ON_ERROR, read_predictions
from devias_mm.store.run_record import run_record
from devias_mm.weights.checkpoints import check_weights, load_checkpoint_file


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Test a checkpoint on named splits')
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file or URL')
    parser.add_argument('--splits', nargs='+', metavar='NAME',
                        help="names or patterns such as 'hat-*'; default: those that "
                             'test_cfg.selected of the config names, or all')
    parser.add_argument('--on-error', choices=ON_ERROR, default='count-wrong',
                        help='an unreadable or missing video counts as wrong, is left out of the '
                             'printed accuracies, or stops the test (default: %(default)s)')
    parser.add_argument('--amp', action='store_true', help='predict in mixed precision')
    add_common_arguments(parser)
    return parser.parse_args()


def print_table(work_dir: str, splits, metrics: dict, on_error: str) -> None:
    """Print top-1 accuracies and the videos that could not be read."""
    tasks = [task for task in ('action', 'scene')
             if any(key.endswith(f'/{task}_top1') for key in metrics)]
    table = Table('split', 'videos', *(f'{task} top-1 (%)' for task in tasks), 'unreadable')
    errors = []
    for split in splits:
        rows = read_predictions(osp.join(work_dir, 'predictions', f'{split}.parquet'))
        bad = rows[rows['error'].notna()]
        errors += [f'{split}: {row.video_id}: {row.error}' for row in bad.itertuples()]
        values = [metrics.get(f'{split}/{task}_top1') for task in tasks]
        table.add_row(split, str(len(rows)),
                      *('-' if value is None else f'{value:.2f}' for value in values),
                      str(len(bad)))
    console = Console(soft_wrap=True)
    console.print(table)
    fate = 'left out' if on_error == 'skip' else 'counted as wrong'
    for line in errors:
        console.print(f'unreadable, {fate}: {line}', markup=False, highlight=False)


def dry_run(cfg, args, checkpoint: dict) -> None:
    """Build the model and the datasets and load one batch of each split."""
    with tempfile.TemporaryDirectory() as folder:
        cfg.work_dir = folder
        runner = build_runner(cfg, args.threads)
        check_weights(runner.model, checkpoint, args.checkpoint)
        loop = runner.test_loop
        lines = [describe_model(runner)] + [
            describe_loader(split, loop.build_dataloader(split)) for split in loop.selected]
    print('\n'.join(['dry run, nothing was tested', *lines]))


def main() -> None:
    args = parse_args()
    cfg = load_config(args)
    check_config(cfg, training=False)
    if cfg.get('test_cfg') is None or cfg.test_cfg.get('type') != 'MultiSplitTestLoop':
        cfg.test_cfg = dict(type='MultiSplitTestLoop', splits=cfg.get('test_splits'))
        cfg.test_evaluator = []
    if args.splits:
        cfg.test_cfg.selected = args.splits
    cfg.test_cfg.on_error = args.on_error
    if args.amp:
        cfg.test_cfg.fp16 = True
    cfg.load_from, cfg.resume = args.checkpoint, False
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
        record = run_record(cfg, args.checkpoint, checkpoint, runner.seed,
                            time.perf_counter() - start, splits)
        write_json(osp.join(cfg.work_dir, 'run.json'), record)
        print_table(cfg.work_dir, splits, metrics, args.on_error)


if __name__ == '__main__':
    try:
        main()
    except (UserError, FileNotFoundError) as error:
        sys.exit(f'error: {error}')
