"""How scene-biased is a model? Test any MMAction2 recognizer on the splits of a suite.

    python tools/test_bias.py CONFIG CHECKPOINT --suite kinetics400
    python tools/test_bias.py mmaction::recognition/tsn/<name>.py none --suite puppets

CONFIG is an unmodified MMAction2 1.x config, whose own test pipeline is used; CHECKPOINT
``none`` leaves the weights random. Prediction tables, ``run.json`` and ``leaderboard.{csv,md,tex}``
go to the work dir. All views of a model's test pipeline (25 frames x 10 crops of a TSN) take a CPU
half a minute a video: the suite puppets_tiny, --single-view and --limit-test are for a quick look.
"""
import argparse
import os.path as osp
import sys
import time
from pathlib import Path

from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.registry import init_default_scope

from devias_mm.engine.any_model import (
    WHERE,
    adapt_config,
    compute_repeats_once,
    find_config,
)
from devias_mm.engine.launch import (
    add_common_arguments,
    build_runner,
    describe_loader,
    describe_model,
    override_config,
)
from devias_mm.errors import (
    CheckpointError,
    ListFileError,
    UsageError,
)
from devias_mm.files import write_json
from devias_mm.harness import Method, load_suite, report
from devias_mm.harness.plan import require_data
from devias_mm.harness.results import collect
from devias_mm.harness.runs import Run
from devias_mm.store.identity import config_identity
from devias_mm.store.predictions import ON_ERROR
from devias_mm.store.run_folder import RunFolder
from devias_mm.store.run_record import run_record
from devias_mm.weights.checkpoints import check_weights, load_checkpoint_file

ROOT = Path(__file__).resolve().parents[1]


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help=WHERE)
    parser.add_argument('checkpoint', help='checkpoint file or URL; none: random weights')
    parser.add_argument('--suite', required=True,
                        help='file or name of a suite of benchmarks/, e.g. kinetics400')
    parser.add_argument('--splits', nargs='+', metavar='NAME',
                        help="names of splits or sets, or patterns such as 'hat-*', of the "
                        "suite's splits and its optional ones; default: all but the optional")
    parser.add_argument('--limit-test', type=int, metavar='N',
                        help='test the first N videos of each split only (a smoke test)')
    parser.add_argument('--single-view', action='store_true',
                        help='one clip and the centre crop instead of all views of the model\'s '
                        'test pipeline: many times faster, and not its published accuracy')
    parser.add_argument('--seed', type=int, default=0, help='of random weights (default: 0)')
    parser.add_argument('--on-error', choices=ON_ERROR, default='count-wrong',
                        help='an unreadable or missing video counts as wrong, is left out of the '
                             'score, or stops the test (default: %(default)s)')
    parser.add_argument('--amp', action='store_true', help='predict in mixed precision')
    add_common_arguments(parser)
    return parser.parse_args()


def make_config(args, suite) -> Config:
    """The model's config on the data of the suite, with the options of the command line."""
    if not suite.data.config:
        raise UsageError(f'suite {suite.name!r} names no `Data(config=...)` with its test splits.')
    if args.data_root is None:  # elsewhere, the lists are looked for
        require_data(suite, ROOT)
    init_default_scope('mmaction')
    path = find_config(args.config)
    cfg = adapt_config(Config.fromfile(str(path)), Config.fromfile(ROOT / suite.data.config),
                       args.checkpoint == 'none', args.single_view)
    override_config(cfg, args)
    if args.work_dir is None:
        cfg.work_dir = osp.join('work_dirs', 'test_bias', suite.name, path.stem)
    if args.limit_test is not None:
        if args.limit_test < 1:
            raise UsageError(f'--limit-test must be at least 1, got {args.limit_test}.')
        cfg.test_dataloader.dataset.indices = args.limit_test
    cfg.test_cfg.selected = list(suite.splits)
    cfg.test_cfg.on_error = args.on_error
    cfg.test_cfg.fp16 = args.amp
    cfg.randomness = dict(seed=args.seed)
    return cfg


def print_report(suite, cfg, args) -> None:
    """Compute and write the tables of the suite's metrics."""
    name = Path(cfg.filename).stem
    work_dir = Path(cfg.work_dir)
    run = Run(name, '', args.seed, tuple(suite.splits), RunFolder(work_dir, config_identity(cfg)))
    run.folder.mark('test', splits=list(suite.splits))
    suite = suite.with_methods({name: Method(cfg.filename, name, predicts=('action', ))})
    smoke = {name: value for name, value in (('limit_test', args.limit_test),
                                             ('single_view', args.single_view)) if value}
    made = report.make_report(suite, [run], collect(suite, [run], '', args.on_error), smoke)
    print(made.markdown)
    for path in report.write_report(made, work_dir):
        print(f'wrote {path}')


def main() -> None:
    args = parse_args()
    suite = load_suite(args.suite, ROOT)
    if args.splits:
        suite = suite.only(args.splits)
    checkpoint = {} if args.checkpoint == 'none' else load_checkpoint_file(args.checkpoint)
    cfg = make_config(args, suite)
    cfg.load_from = None if args.checkpoint == 'none' else args.checkpoint
    try:
        runner = build_runner(cfg, args.threads)
    except UsageError:
        raise
    except Exception as error:  # of a foreign model: whatever its parts raise
        raise UsageError(f'{args.config}: the model cannot be built on this suite: '
                         f'{error}') from error
    if checkpoint:
        check_weights(runner.model, checkpoint, args.checkpoint)
    if args.dry_run:
        loop = runner.test_loop
        print('\n'.join(['dry run, nothing was tested', describe_model(runner)] + [
            describe_loader(split, loop.build_dataloader(split)) for split in loop.selected]))
        return
    compute_repeats_once(runner.model)
    start = time.perf_counter()
    runner.test()
    if is_main_process():
        write_json(osp.join(cfg.work_dir, 'run.json'), run_record(
            cfg, config_identity(cfg), args.checkpoint, checkpoint, runner.seed,
            time.perf_counter() - start, suite.splits))
        print_report(suite, cfg, args)


if __name__ == '__main__':
    try:
        main()
    except (CheckpointError, ListFileError, FileNotFoundError, ValueError) as error:
        sys.exit(f'error: {error}')
