"""How scene-biased is a model? Test any MMAction2 recognizer on the splits of a suite.

    python tools/test_bias.py CONFIG CHECKPOINT --suite kinetics400
    python tools/test_bias.py mmaction::recognition/tsn/<name>.py none --suite puppets

CONFIG is an unmodified MMAction2 1.x config, whose own test pipeline is used; CHECKPOINT
``none`` leaves the weights random. Prediction tables, ``run.json`` and ``leaderboard.{csv,md,tex}``
go to the work dir. All views of a model's test pipeline (25 frames x 10 crops of a TSN) take a CPU
half a minute a video: the suite puppets_tiny, --single-view and --limit-test are for a quick look.
"""
import argparse
import time
from pathlib import Path

from devias_mm.cli import add_config_options, add_launch_options, run_tool

ROOT = Path(__file__).resolve().parents[1]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('config', metavar='CONFIG',
                        help='a config file, or mmaction::recognition/<model>/<name>.py of the '
                        'installed MMAction2')
    parser.add_argument('checkpoint', metavar='CHECKPOINT',
                        help='checkpoint file or URL; none: random weights')
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
    parser.add_argument('--on-error', choices=('count-wrong', 'skip', 'fail'),
                        default='count-wrong',
                        help='an unreadable or missing video counts as wrong, is left out of the '
                             'score, or stops the test (default: %(default)s)')
    parser.add_argument('--amp', action='store_true', help='predict in mixed precision')
    add_config_options(parser)
    add_launch_options(parser)


def make_config(args, suite):
    """Return the model's config on the data of the suite, with the command line's options."""
    from mmengine.config import Config
    from mmengine.registry import init_default_scope

    from devias_mm.engine.any_model import adapt_config, find_config
    from devias_mm.engine.config import override_config
    from devias_mm.errors import UsageError
    from devias_mm.harness.plan import require_data

    if not suite.data.config:
        raise UsageError(f'suite {suite.name!r} names no `Data(config=...)` with its test splits.')
    if args.limit_test is not None and args.limit_test < 1:
        raise UsageError(f'--limit-test must be at least 1, got {args.limit_test}.')
    if args.data_root is None:  # elsewhere, the lists are looked for
        require_data(suite, ROOT)
    init_default_scope('mmaction')
    path = find_config(args.config)
    cfg = adapt_config(Config.fromfile(str(path)), Config.fromfile(ROOT / suite.data.config),
                       args.checkpoint == 'none', args.single_view)
    override_config(cfg, args)
    if args.work_dir is None:
        cfg.work_dir = str(Path('work_dirs', 'test_bias', suite.name, path.stem))
    if args.limit_test is not None:
        cfg.test_dataloader.dataset.indices = args.limit_test
    cfg.test_cfg.selected = list(suite.splits)
    cfg.test_cfg.on_error = args.on_error
    cfg.test_cfg.fp16 = args.amp
    cfg.randomness = dict(seed=args.seed)
    cfg.load_from = None if args.checkpoint == 'none' else args.checkpoint
    return cfg


def build(cfg, args):
    """Build the runner; whatever the parts of a foreign model raise becomes one line."""
    from devias_mm.engine.runner import build_runner
    from devias_mm.errors import UsageError, UserError
    try:
        return build_runner(cfg, args.threads)
    except UserError:
        raise
    except Exception as error:
        raise UsageError(f'{args.config}: the model cannot be built on this suite: '
                         f'{error}') from error


def print_report(suite, cfg, args) -> None:
    """Compute and write the tables of the suite's metrics."""
    from devias_mm.harness import Method, report
    from devias_mm.harness.results import collect
    from devias_mm.harness.runs import Run
    from devias_mm.store.identity import config_identity
    from devias_mm.store.run_folder import RunFolder

    name = Path(cfg.filename).stem
    work_dir = Path(cfg.work_dir)
    run = Run(name, '', args.seed, tuple(suite.splits), RunFolder(work_dir, config_identity(cfg)))
    run.folder.mark('test', splits=list(suite.splits))
    suite = suite.with_methods({name: Method(cfg.filename, name, predicts=('action', ))})
    smoke = {}
    if args.limit_test:
        smoke['limit_test'] = args.limit_test
    if args.single_view:
        smoke['single_view'] = True
    made = report.make_report(suite, [run], collect(suite, [run], '', args.on_error), smoke)
    print(made.markdown)
    for path in report.write_report(made, work_dir):
        print(f'wrote {path}')


def dry_run(runner) -> None:
    """Load one batch of each split."""
    from devias_mm.engine.runner import describe_loader, describe_model
    loop = runner.test_loop
    lines = ['dry run, nothing was tested', describe_model(runner)]
    for split in loop.selected:
        lines.append(describe_loader(split, loop.build_dataloader(split)))
    print('\n'.join(lines))


def main(args: argparse.Namespace) -> None:
    from mmengine.dist import is_main_process

    from devias_mm.files import write_json
    from devias_mm.harness import load_suite
    from devias_mm.store.identity import config_identity
    from devias_mm.store.run_record import run_record
    from devias_mm.weights.checkpoints import check_weights
    from devias_mm.weights.reading import load_checkpoint_file

    suite = load_suite(args.suite, ROOT)
    if args.splits:
        suite = suite.only(args.splits)
    checkpoint = {}
    if args.checkpoint != 'none':
        checkpoint = load_checkpoint_file(args.checkpoint)
    cfg = make_config(args, suite)
    runner = build(cfg, args)
    if checkpoint:
        check_weights(runner.model, checkpoint, args.checkpoint)
    if args.dry_run:
        dry_run(runner)
        return
    start = time.perf_counter()
    runner.test()
    if is_main_process():
        write_json(Path(cfg.work_dir, 'run.json'), run_record(
            cfg, config_identity(cfg), args.checkpoint, checkpoint, runner.seed,
            time.perf_counter() - start, suite.splits))
        print_report(suite, cfg, args)


if __name__ == '__main__':
    run_tool(main, add_arguments, __doc__)
