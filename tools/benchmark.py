"""Run a suite of methods and turn the stored predictions into tables and figures.

    python tools/benchmark.py list
    python tools/benchmark.py run benchmarks/puppets.py --methods naive devias --jobs 2
    python tools/benchmark.py run benchmarks/ucf101.py --launcher slurm --gpus 8 --jobs 4
    python tools/benchmark.py status benchmarks/ucf101.py
    python tools/benchmark.py table benchmarks/puppets.py
    python tools/benchmark.py plot benchmarks/puppets.py
    python tools/benchmark.py compare benchmarks/puppets.py devias fame --split unseen
    python tools/benchmark.py config benchmarks/puppets.py two-token-fame > my.py

Trainings with the same config are one run, in <out>/runs, whichever suites they belong to. Tables
and figures are made from the finished runs that the suite's index names, and go to <out>/<suite>.
"""
import argparse
import hashlib
import shlex
import sys
from pathlib import Path
from typing import Dict, List, Tuple

from devias_mm.cli import LAUNCHERS, run_tool
from devias_mm.errors import SuiteError, UsageError

ROOT = Path(__file__).resolve().parents[1]


def add_arguments(parser) -> None:
    from devias_mm.store.predictions import ON_ERROR
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')
    commands.add_parser('list', help='the suites, their methods and configs')

    named = argparse.ArgumentParser(add_help=False)
    named.add_argument('suite', help='a suite file, e.g. benchmarks/puppets.py')
    named.add_argument('--out', type=Path, default=ROOT / 'work_dirs' / 'benchmarks',
                       help='folder of all results (default: %(default)s)')
    chosen = argparse.ArgumentParser(add_help=False, parents=[named])
    chosen.add_argument('--methods', nargs='+', metavar='NAME', help='default: all')
    chosen.add_argument('--seeds', nargs='+', type=int, metavar='K',
                        help="default: the suite's; the first of them in a smoke run")
    smoke = chosen.add_argument_group('smoke options (other runs than the benchmark\'s)')
    smoke.add_argument('--limit-train', type=int, metavar='N', help='train on the first N videos')
    smoke.add_argument('--epochs', type=int, metavar='N', help='train for N epochs')

    run = commands.add_parser('run', parents=[chosen], help='train and test what is not complete')
    run.add_argument('--gpus', '--gpus-per-job', type=int, default=1, metavar='N',
                     help='GPUs (processes) of a job; 0: CPU (default: %(default)s)')
    run.add_argument('--jobs', type=int, metavar='N',
                     help='jobs at a time, each with GPUs of its own or, on the CPU, a share of '
                          'the cores (default: 1); with --launcher slurm: submit all, of which '
                          'N run at a time, and return')
    run.add_argument('--launcher', choices=LAUNCHERS, default='none',
                     help='slurm without --jobs: one srun after the other (docs/cluster.md)')
    run.add_argument('--dry-run', action='store_true', help='print the commands only')
    run.add_argument('--on-error', choices=ON_ERROR, default='count-wrong',
                     help='an unreadable test video: fail stops the test at the first')
    commands.add_parser('status', parents=[chosen], help='the jobs that were submitted to Slurm')
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
    compare.add_argument('--variant', default='', help='of a ladder suite')
    config = commands.add_parser('config', parents=[named], help='print the config of a row')
    config.add_argument('method', metavar='METHOD[@VARIANT]', help='a method of the suite')


def do_list(args) -> None:
    from rich.table import Table

    from devias_mm.harness.suite import list_suites, load_suite
    console = make_console()
    found: Dict[Tuple[str, str], List[str]] = {}  # (label, paper): suites
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
            found.setdefault((method.label, method.paper), []).append(path.stem)
        console.print(table)
        if suite.variants:
            console.print(f'{suite.ladder.axis}: {", ".join(suite.variants)}\n')
    table = Table('method', 'paper', 'suites', title='all methods', title_justify='left')
    for (label, paper), names in sorted(found.items()):
        table.add_row(label, paper, ', '.join(dict.fromkeys(names)))
    console.print(table)


def do_run(args) -> int:
    from devias_mm.harness.launch import Launcher
    from devias_mm.harness.plan import plan_jobs, write_index
    from devias_mm.harness.progress import Progress
    from devias_mm.harness.schedule import run_jobs
    from devias_mm.harness.slots import make_slots
    from devias_mm.harness.suite import load_suite_and_files
    suite, files = load_suite_and_files(args.suite, ROOT)
    require_methods(args, suite)
    jobs = plan_jobs(suite, ROOT, args.out, args.methods, chosen_seeds(args, suite),
                     smoke_options(args), processes=max(args.gpus, 1))
    launcher = Launcher(ROOT, args.gpus, args.launcher, args.on_error)
    submits = args.launcher == 'slurm' and args.jobs is not None
    slots = [] if submits else make_slots(1 if args.jobs is None else args.jobs, args.gpus)
    if args.dry_run:
        print_commands(jobs, launcher)
        return 0
    folder = suite_folder(args, suite)
    write_index(folder, jobs, files, ROOT)
    if submits:
        submit(args, suite, jobs, launcher)
        return 0
    console = make_console()
    console.print(f'{suite.title}: {len(jobs)} jobs, results in {folder}')
    failures = run_jobs(jobs, launcher, progress=Progress(jobs, console), slots=slots)
    if failures:
        print_failures(failures, len(jobs))
        return 1
    print(f'all {len(jobs)} jobs are complete; now:\n    {command_line(args, "table")}\n'
          f'    {command_line(args, "plot")}')
    return 0


def submit(args, suite, jobs, launcher) -> None:
    """Submit to Slurm what is missing, and print the numbers of the jobs."""
    from devias_mm.harness.slurm_jobs import Submission
    submission = Submission(launcher, suite.name, args.jobs)
    submission.submit(jobs)
    for step, number in submission.submitted.items():
        print(f'submitted job {number}: {step.name} {step.job.name}')
    for step, number in submission.waiting.items():
        print(f'job {number} is with Slurm already: {step.name} {step.job.name}')
    print(f'{len(submission.submitted)} jobs submitted, {args.jobs} at a time; now:\n'
          f'    {command_line(args, "status")}')


def do_status(args) -> None:
    from devias_mm.harness.runs import indexed_runs
    from devias_mm.harness.status import print_status
    from devias_mm.harness.suite import load_suite
    suite = load_suite(args.suite, ROOT)
    require_methods(args, suite)
    runs = indexed_runs(suite, suite_folder(args, suite), args.methods, chosen_seeds(args, suite))
    print_status(runs, make_console())


def print_failures(failures, number: int) -> None:
    """Print which of a number of jobs are not complete, and why."""
    not_run = [failure for failure in failures if failure.not_run]
    failed = [failure for failure in failures if not failure.not_run]
    for failure in failed:
        print(f'\nFAILED {failure.job.name} ({failure.step.name}): {failure.reason}; the end of '
              f'{failure.step.log}:\n{failure.tail}', file=sys.stderr)
    for failure in not_run:
        print(f'\nNOT RUN {failure.job.name}: {failure.reason}', file=sys.stderr)
    counts = f'{len(failed)} of {number} jobs failed'
    if not_run:
        counts += f', {len(not_run)} that need them were not run'
    print(f'\n{counts}; the others are complete. The same command runs these again.',
          file=sys.stderr)


def print_commands(jobs, launcher) -> None:
    """Print what would run."""
    from devias_mm.harness.steps import steps_left
    for job in jobs:
        steps = list(steps_left(job))
        for step in steps:
            name = step.name if step.job is job else f'pretrain {step.job.method}'
            print(f'# {job.name}: {name} would run')
            print(shlex.join(launcher.command(step)))
        if not steps:
            print(f'# {job.name} is complete')


def do_table(args) -> None:
    from devias_mm.harness.report import write_report
    suite, made = make_report(args)
    print(made.markdown)
    for path in write_report(made, report_folder(args, suite)):
        print(f'wrote {path}')


def do_plot(args) -> None:
    from devias_mm.harness.figures import plot_report
    suite, made = make_report(args)
    for path in plot_report(suite, made.table, report_folder(args, suite) / 'figures'):
        print(f'wrote {path}')


def make_report(args):
    """Make the tables of the finished runs; tell which files have changed since they were run."""
    from devias_mm.harness import report
    from devias_mm.harness.suite import load_suite
    suite = load_suite(args.suite, ROOT)
    runs, results = collected(args, suite)
    note_changes(suite_folder(args, suite), args)
    return suite, report.make_report(suite, runs, results, smoke_options(args))


def do_compare(args) -> None:
    from devias_mm.evaluation.paired import compare_paired
    from devias_mm.harness.rows import check_variant
    from devias_mm.harness.suite import load_suite
    suite = load_suite(args.suite, ROOT)
    args.methods = [args.first, args.second]
    if args.split not in suite.splits:
        raise UsageError(f'unknown split {args.split!r}: use one of {", ".join(suite.splits)}')
    check_variant(suite, args.variant)
    results = collected(args, suite)[1]
    found = {(result.method, result.variant): result for result in results}
    pair = []
    for name in args.methods:
        if args.task not in suite.methods[name].predicts:
            raise UsageError(f'{name!r} does not predict the {args.task}')
        if (name, args.variant) not in found:
            raise SuiteError(f'{name!r} has no finished run; make it with:\n'
                             f'    {command_line(args, "run")}')
        pair.append(found[name, args.variant].per_video(args.split, args.task))
    result = compare_paired(*pair)
    print(f'{args.first} - {args.second}, {args.task} on {args.split} ({result.n_videos} videos): '
          f'{result.difference:+.1f} points [{result.lo:+.1f}, {result.hi:+.1f}], '
          f'p = {result.p_value:.4f} (sign-flip permutation test)')


def do_config(args) -> None:
    from devias_mm.harness.rows import RowName, config_text
    method, _, variant = args.method.partition('@')
    print(config_text(RowName(args.suite, method, variant), ROOT, args.out), end='')


def collected(args, suite):
    """Return the runs that a suite's index names, and the results of the finished ones."""
    from devias_mm.harness.results import collect
    from devias_mm.harness.runs import indexed_runs
    require_methods(args, suite)
    runs = indexed_runs(suite, suite_folder(args, suite), args.methods,
                        chosen_seeds(args, suite))
    on_error = getattr(args, 'on_error', 'count-wrong')
    return runs, collect(suite, runs, command_line(args, 'run'), on_error)


def note_changes(folder: Path, args) -> None:
    """Tell which files have changed since the runs were planned."""
    from devias_mm.store.index import changed_sources, read_index
    entries = read_index(folder)
    if args.methods and args.methods != ['all']:
        entries = [entry for entry in entries if entry.method in args.methods]
    for name, methods in changed_sources(entries, ROOT).items():
        shown = ', '.join(methods[:3]) + (', ...' if len(methods) > 3 else '')
        print(f'note: {name} has changed since {shown} ran. `tools/benchmark.py run` runs again '
              'what that concerns.', file=sys.stderr)


def require_methods(args, suite) -> None:
    """Check that a suite has methods."""
    if not suite.methods:
        raise SuiteError(f'{args.suite} names no method to run: a suite of a built test set '
                         'takes those of methods.py in its folder '
                         '(docs/building_test_sets.md)')


def smoke_options(args) -> dict:
    """Return the smoke options as changes to a config."""
    options = {'train_dataloader.dataset.indices': args.limit_train,
               'train_cfg.max_epochs': args.epochs}
    options = {name: value for name, value in options.items() if value is not None}
    for name, value in options.items():
        if value < 1:
            raise UsageError(f'{name}={value} must be at least 1')
    return options


def chosen_seeds(args, suite) -> List[int]:
    """Return the seeds that are asked for; of a smoke run the first, if none is."""
    if args.seeds is not None:
        return args.seeds
    if smoke_options(args):
        return list(suite.seeds[:1])
    return list(suite.seeds)


def suite_folder(args, suite) -> Path:
    """Return the folder of a suite's index; smoke runs never take the place of the benchmark's."""
    options = smoke_options(args)
    if not options:
        return args.out / suite.name
    parts = [f'{name.rsplit(".", 1)[1]}{value}' for name, value in options.items()]
    return args.out / suite.name / f'smoke_{"_".join(parts)}'


def report_folder(args, suite) -> Path:
    """Return where tables and figures go; those of a selection never replace the whole suite's."""
    folder = suite_folder(args, suite)
    parts = []
    if list(suite.select(args.methods)) != list(suite.methods):
        parts.append('+'.join(suite.select(args.methods)))
    if set(chosen_seeds(args, suite)) != set(suite.seeds) and not smoke_options(args):
        parts.append('seeds' + '+'.join(map(str, args.seeds)))
    if not parts:
        return folder
    name = '_'.join(parts)
    if len(name) > 100:  # file systems take 255 bytes
        name = f'{name[:90]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}'
    return folder / 'selections' / name


def command_line(args, command: str) -> str:
    """Return the command with the same selection, for messages."""
    parts = ['python', 'tools/benchmark.py', command, args.suite]
    for option in ('methods', 'seeds', 'limit_train', 'epochs'):
        value = getattr(args, option)
        if value is not None:
            values = value if isinstance(value, list) else [value]
            parts += [f'--{option.replace("_", "-")}', *map(str, values)]
    if args.out != ROOT / 'work_dirs' / 'benchmarks':
        parts += ['--out', str(args.out)]
    return shlex.join(parts)


def make_console():
    """Return a console that is wide enough for a table, also where it is a file."""
    from rich.console import Console
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=160)


def main(args):
    if args.command != 'list':
        # absolute, because the jobs run in the repository's root
        args.out = args.out.absolute()
    commands = dict(list=do_list, run=do_run, status=do_status, table=do_table, plot=do_plot,
                    compare=do_compare, config=do_config)
    return commands[args.command](args)


if __name__ == '__main__':
    run_tool(main, add_arguments, __doc__)
