"""Run a suite of methods and turn the stored predictions into tables and figures.

    python tools/benchmark.py list
    python tools/benchmark.py run benchmarks/puppets.py --methods naive devias --seeds 0
    python tools/benchmark.py table benchmarks/puppets.py
    python tools/benchmark.py plot benchmarks/puppets.py
    python tools/benchmark.py compare benchmarks/puppets.py devias fame --split unseen
"""
import argparse
import shlex
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from devias_mm.evaluation.paired import compare_paired
from devias_mm.harness import report
from devias_mm.harness.launch import LAUNCHERS, Launcher, run_jobs, steps_left
from devias_mm.harness.plan import plan_jobs
from devias_mm.harness.progress import Progress
from devias_mm.harness.results import collect
from devias_mm.harness.suite import list_suites, load_suite
from devias_mm.store.predictions import ON_ERROR

ROOT = Path(__file__).resolve().parents[1]

console = Console(highlight=False)
if not console.is_terminal:
    console = Console(highlight=False, width=160)


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')
    commands.add_parser('list', help='the suites, their methods and configs')

    chosen = argparse.ArgumentParser(add_help=False)
    chosen.add_argument('suite', help='a suite file, e.g. benchmarks/puppets.py')
    chosen.add_argument('--out', type=Path, default=ROOT / 'work_dirs' / 'benchmarks',
                        help='folder of all results (default: %(default)s)')
    chosen.add_argument('--methods', nargs='+', metavar='NAME', help='default: all')
    chosen.add_argument('--seeds', nargs='+', type=int, metavar='K',
                        help="default: the suite's; the first of them in a smoke run")
    chosen.add_argument('--gpus', type=int, default=1, metavar='N',
                        help='GPUs (processes) of a job; 0: CPU (default: %(default)s)')
    smoke = chosen.add_argument_group('smoke options (other runs than the benchmark\'s)')
    smoke.add_argument('--limit-train', type=int, metavar='N', help='train on the first N videos')
    smoke.add_argument('--epochs', type=int, metavar='N', help='train for N epochs')

    run = commands.add_parser('run', parents=[chosen], help='train and test what is not complete')
    run.add_argument('--launcher', choices=LAUNCHERS, default='none')
    run.add_argument('--dry-run', action='store_true', help='print the commands only')
    run.add_argument('--on-error', choices=ON_ERROR, default='count-wrong',
                     help='an unreadable test video: fail stops the test at the first')
    table = commands.add_parser(
        'table', parents=[chosen],
        help='leaderboard as CSV, Markdown and LaTeX, from stored predictions')
    plot = commands.add_parser('plot', parents=[chosen], help='figures (PDF and PNG), likewise')
    for command in (table, plot):
        command.add_argument('--on-error', choices=ON_ERROR, default='count-wrong',
                             help='an unreadable test video counts as wrong, is left out of the '
                                  'score, or is an error (default: %(default)s)')
    compare = commands.add_parser('compare', parents=[chosen],
                                  help='two methods on the same videos')
    compare.add_argument('first')
    compare.add_argument('second')
    compare.add_argument('--split', required=True)
    compare.add_argument('--task', choices=('action', 'scene'), default='action')
    compare.add_argument('--variant', help='of a ladder suite')
    return parser.parse_args(argv)


def smoke_options(args) -> dict:
    """The smoke options as changes to a config."""
    options = {'train_dataloader.dataset.indices': args.limit_train,
               'train_cfg.max_epochs': args.epochs}
    for name, value in options.items():
        if value is not None and value < 1:
            raise ValueError(f'{name}={value} must be at least 1')
    return {name: value for name, value in options.items() if value is not None}


def do_list() -> int:
    found = {}  # (label, paper): suites
    for path in list_suites(ROOT):
        suite = load_suite(path, ROOT)
        table = Table(title=f'{path.relative_to(ROOT)}: {suite.title}', title_justify='left',
                      caption=f'seeds {", ".join(map(str, suite.seeds))}; splits '
                              f'{", ".join(suite.splits)}', caption_justify='left')
        for heading in ('method', 'label', 'paper', 'predicts', 'config'):
            table.add_column(heading)
        for name, method in suite.methods.items():
            table.add_row(name, method.label, method.paper, ', '.join(method.predicts),
                          method.config)
        console.print(table)
        if suite.variants:
            console.print(f'{suite.ladder.axis}: {", ".join(suite.variants)}\n')
        for method in suite.methods.values():
            found.setdefault((method.label, method.paper), []).append(path.stem)
    table = Table('method', 'paper', 'suites', title='all methods', title_justify='left')
    for (label, paper), names in sorted(found.items()):
        table.add_row(label, paper, ', '.join(dict.fromkeys(names)))
    console.print(table)
    return 0


def do_run(args, suite) -> int:
    jobs = planned(args, suite)
    launcher = Launcher(ROOT, args.gpus, args.launcher, args.on_error)
    if args.dry_run:
        for job in jobs:
            left = list(steps_left(job))
            for part, step in left:
                print(f'# {job.name}: {step if part is job else "pretrain"} would run')
                print(shlex.join(launcher.command(part, step)))
            if not left:
                print(f'# {job.name} is complete')
        return 0
    console.print(f'{suite.title}: {len(jobs)} jobs, results in {args.out / suite.name}')
    failures = run_jobs(jobs, launcher, progress=Progress(jobs, console))
    for failure in failures:
        print(f'\nFAILED {failure.job.name} ({failure.step}): {failure.reason}; the end of '
              f'{failure.log}:\n{failure.tail}', file=sys.stderr)
    if failures:
        print(f'\n{len(failures)} of {len(jobs)} jobs failed; the others are complete. The same '
              'command runs the failed ones again.', file=sys.stderr)
        return 1
    print(f'all {len(jobs)} jobs are complete; now:\n    {command_line(args, "table")}\n'
          f'    {command_line(args, "plot")}')
    return 0


def do_table(args, suite) -> int:
    made = report.make_report(suite, *collected(args, suite), smoke_options(args))
    print(made.markdown)
    for path in report.write_report(made, report_folder(args, suite)):
        print(f'wrote {path}')
    return 0


def do_plot(args, suite) -> int:
    from devias_mm.harness.figures import plot_report
    made = report.make_report(suite, *collected(args, suite), smoke_options(args))
    for path in plot_report(suite, made.table, report_folder(args, suite) / 'figures'):
        print(f'wrote {path}')
    return 0


def do_compare(args, suite) -> int:
    if args.split not in suite.splits:
        raise ValueError(f'unknown split {args.split!r}: use one of {", ".join(suite.splits)}')
    variant = args.variant or ''
    if variant not in (suite.variants or ('', )):
        raise ValueError(f'--variant {variant!r} is not one of the suite\'s: '
                         f'{", ".join(suite.variants) or "it has none"}')
    args.methods = [args.first, args.second]
    results = {(result.method, result.variant): result for result in collected(args, suite)[1]}
    pair = []
    for name in args.methods:
        if args.task not in suite.methods[name].predicts:
            raise ValueError(f'{name!r} does not predict the {args.task}')
        if (name, variant) not in results:
            raise ValueError(f'{name!r} has no finished run; make it with:\n'
                             f'    {command_line(args, "run")}')
        pair.append(results[name, variant].per_video(args.split, args.task))
    result = compare_paired(*pair)
    print(f'{args.first} - {args.second}, {args.task} on {args.split} ({result.n_videos} videos): '
          f'{result.difference:+.1f} points [{result.lo:+.1f}, {result.hi:+.1f}], '
          f'p = {result.p_value:.4f} (sign-flip permutation test)')
    return 0


def planned(args, suite):
    """The jobs that the arguments select; of a smoke run only the first seed, if none is given."""
    options = smoke_options(args)
    seeds = suite.seeds[:1] if options and args.seeds is None else args.seeds
    return plan_jobs(suite, ROOT, args.out, args.methods, seeds, options,
                     processes=max(args.gpus, 1))


def collected(args, suite):
    """The jobs that the arguments select, and the results of the finished ones."""
    jobs = planned(args, suite)
    return jobs, collect(suite, jobs, command_line(args, 'run'),
                         getattr(args, 'on_error', 'count-wrong'))


def report_folder(args, suite) -> Path:
    """Where tables and figures go; those of a smoke run never replace the benchmark's."""
    smoke = '_'.join(f'{name.rsplit(".", 1)[1]}{value}'
                     for name, value in smoke_options(args).items())
    return args.out / suite.name / (f'smoke_{smoke}' if smoke else '')


def command_line(args, command: str) -> str:
    """The command with the same selection, for messages."""
    parts = ['python', 'tools/benchmark.py', command, args.suite]
    for option in ('methods', 'seeds', 'limit_train', 'epochs'):
        value = getattr(args, option)
        if value is not None:
            values = value if isinstance(value, list) else [value]
            parts += [f'--{option.replace("_", "-")}', *map(str, values)]
    if args.gpus != 1:
        parts += ['--gpus', str(args.gpus)]
    if args.out != ROOT / 'work_dirs' / 'benchmarks':
        parts += ['--out', str(args.out)]
    return shlex.join(parts)


def main(argv=None) -> int:
    args = parse_args(argv)
    try:
        if args.command == 'list':
            return do_list()
        # absolute, because the jobs run in the repository's root
        args.out = args.out.absolute()
        suite = load_suite(args.suite, ROOT)
        if not suite.methods:
            raise ValueError(f'{args.suite} names no method to run: a suite of a built test set '
                             'takes those of methods.py in its folder '
                             '(docs/building_test_sets.md)')
        return dict(run=do_run, table=do_table, plot=do_plot,
                    compare=do_compare)[args.command](args, suite)
    except (ValueError, FileNotFoundError) as error:
        print(f'error: {error}', file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print('interrupted; the same command continues', file=sys.stderr)
        return 130


if __name__ == '__main__':
    sys.exit(main())
