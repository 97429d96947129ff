"""Which classes does a method of a suite get right, and what does it take the others for?

    python tools/analysis/per_class.py benchmarks/puppets.py --method devias --split unseen
    python tools/analysis/per_class.py benchmarks/ucf101.py --method fame --split hat-far \\
        --seeds 0 1 --class-names data/ucf101/hat/annotations/labels.csv
    python tools/analysis/per_class.py work_dirs/test_bias/kinetics400/NAME --split hat-far
    python tools/analysis/per_class.py FILE.parquet

From the stored predictions of the finished runs of a suite, of a work dir that `tools/test.py` or
`tools/test_bias.py` wrote, or from prediction tables, several of which are seeds. Writes a CSV
(columns: see `devias_mm.evaluation.per_class`) and prints the worst and the best classes. A set of
draws such as `hat-far` takes the videos of all its draws together.
"""
import sys
from pathlib import Path

from devias_mm.cli import run_tool
from devias_mm.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]
TASKS = ('action', 'scene')


def add_arguments(parser):
    from devias_mm.store.predictions import ON_ERROR
    parser.add_argument('suite', nargs='+',
                        help='a suite file, e.g. benchmarks/puppets.py; or work dirs; or '
                        'prediction tables')
    parser.add_argument('--method', metavar='NAME', help='of the suite')
    parser.add_argument('--split', help='a split of the suite or work dir, or a set of draws')
    parser.add_argument('--top-k', type=int, metavar='K',
                        help="a video counts as right (default: the suite's; otherwise 1)")
    parser.add_argument('--seeds', nargs='+', type=int, metavar='K', help="default: the suite's")
    parser.add_argument('--variant', default='', help='of a ladder suite')
    parser.add_argument('--task', choices=TASKS, default='action')
    parser.add_argument('--on-error', choices=ON_ERROR, default='count-wrong',
                        help='an unreadable video counts as wrong, is left out, or is an error '
                             '(default: %(default)s)')
    parser.add_argument('--class-names', type=Path, metavar='FILE',
                        help='lines of `index,class`, such as labels.csv of HAT')
    parser.add_argument('--top', type=int, default=10, metavar='N',
                        help='worst and best classes to print (default: %(default)s)')
    parser.add_argument('--out', type=Path, default=ROOT / 'work_dirs' / 'benchmarks',
                        help='folder of all results (default: %(default)s)')
    parser.add_argument('--csv', type=Path, metavar='FILE',
                        help='default: <out>/<suite>/per_class/<method>_<split>_<task>.csv')


def check(args):
    """Check the numbers among the options."""
    if args.top_k is not None and args.top_k < 1:
        raise UsageError(f'--top-k {args.top_k}: accepted is an integer >= 1')
    if args.top < 1:
        raise UsageError(f'--top {args.top}: accepted is an integer >= 1')


def read_work_dir(folder, split):
    """Read the predictions of a work dir on a split, or on all draws of a set (``hat-far``)."""
    root = folder
    if (folder / 'predictions').is_dir():
        root = folder / 'predictions'
    files = {}
    for path in sorted(root.rglob('*.parquet')):
        files[path.relative_to(root).with_suffix('').as_posix()] = path
    chosen = [name for name in files if name == split or name.startswith(f'{split}/')]
    if not chosen:
        known = ', '.join(files) or 'none'
        raise UsageError(f'{folder} has no predictions of --split {split}; it has {known}')
    return read_tables({name: files[name] for name in chosen})


def from_suite(args):
    """Return tables of the finished runs, k, a title, and where the CSV goes."""
    from devias_mm.harness.suite import load_suite
    if len(args.suite) > 1 or not (args.method and args.split):
        raise UsageError('give one suite with --method and --split, or work dirs with --split, or '
                         'prediction tables (FILE.parquet)')
    suite = load_suite(args.suite[0], ROOT)
    splits = suite.protocol.splits_of((args.split, ))
    tables = []
    for job in finished_jobs(args, suite):
        files = {split: job.predictions(split) for split in splits}
        tables.append(read_tables(files))
    k = args.top_k or suite.protocol.topk.get(args.task, 1)
    title = f'{args.method} on {args.split}'
    parts = [args.method, args.variant, args.split.replace('/', '-'), args.task]
    stem = '_'.join(part for part in parts if part)
    return tables, k, title, args.out / suite.name / 'per_class' / f'{stem}.csv'


def from_paths(args):
    """Return the same of work dirs, or of prediction tables."""
    from devias_mm.store.predictions import read_predictions
    paths = [Path(path) for path in args.suite]
    first = paths[0]
    if all(path.is_dir() for path in paths):
        if not args.split:
            raise UsageError('give the --split of the work dir')
        tables = [read_work_dir(path, args.split) for path in paths]
        stem = args.split.replace('/', '-')
        folder = first / 'per_class'
        title = f'{first.name} on {args.split}'
    else:
        tables = [read_predictions(path) for path in paths]
        stem = first.stem
        folder = first.parent / 'per_class'
        title = str(first)
    for table in tables:
        scores = table[f'{args.task}_scores']
        if scores.isna().all():
            raise UsageError(f'{args.suite[0]}: there are no predictions of the {args.task}')
    return tables, args.top_k or 1, title, folder / f'{stem}_{args.task}.csv'


def finished_jobs(args, suite):
    """Return the finished runs that the arguments select, one a seed."""
    from devias_mm.harness.runs import indexed_runs
    known = suite.protocol.tested((*suite.splits, *suite.protocol.sets))
    if args.split not in known:
        raise UsageError(f'unknown split {args.split!r}: use one of {", ".join(known)}')
    if args.variant not in (suite.variants or ('', )):
        raise UsageError(f'--variant {args.variant!r} is not one of the suite\'s: '
                         f'{", ".join(suite.variants) or "it has none"}')
    folder = args.out.absolute() / suite.name
    jobs = indexed_runs(suite, folder, [args.method], args.seeds)
    if args.task not in suite.methods[args.method].predicts:
        raise UsageError(f'{args.method!r} does not predict the {args.task}')
    jobs = [job for job in jobs if job.variant == args.variant]
    done = [job for job in jobs if job.tested]
    if not done:
        raise UsageError(f'{args.method!r} has no finished run in {folder}; make it '
                         'with:\n    python tools/benchmark.py run '
                         f'{args.suite[0]} --methods {args.method}')
    missing = [str(job.seed) for job in jobs if job not in done]
    if missing:
        print(f'no finished run yet of seed(s) {", ".join(missing)}: they are left out',
              file=sys.stderr)
    return done


def read_tables(files):
    """Read the predictions on a split, or on the draws of a set together: file of each."""
    import pandas as pd

    from devias_mm.store.predictions import read_predictions
    tables = []
    for split, path in files.items():
        table = read_predictions(path)
        # the draws of a set share their videos
        tables.append(table.assign(video_id=f'{split}/' + table['video_id']))
    return pd.concat(tables, ignore_index=True)


def add_names(result, file, classes):
    """Insert the names of the classes, and of those that they are confused with."""
    from devias_mm.datasets.class_names import read_class_names
    names = read_class_names(str(file), classes)
    titles = {index: name for name, index in names.items()}
    own = result['class'].map(titles).fillna('')
    result.insert(1, 'name', own)
    confused = result['confused_with'].map(titles).fillna('')
    place = result.columns.get_loc('confused_with')
    result.insert(place + 1, 'confused_name', confused)


def show(table, title):
    """Return some rows for people."""
    from rich.table import Table
    shown = Table(title=title, title_justify='left')
    for column in table:
        justify = 'right'
        if table[column].dtype == object:
            justify = 'left'
        shown.add_column(column, justify=justify)
    for row in table.itertuples(index=False):
        shown.add_row(*(text_of(cell) for cell in row))
    return shown


def text_of(cell):
    """Return a cell as text; ``-`` for a missing value."""
    import pandas as pd
    if pd.isna(cell):
        return '-'
    if isinstance(cell, float):
        return f'{cell:.1f}'
    return str(cell)


def main(args):
    from rich.console import Console

    from devias_mm.evaluation.per_class import per_class_table
    from devias_mm.files import atomic_path
    check(args)
    if all(path.endswith('.parquet') or Path(path).is_dir() for path in args.suite):
        tables, k, about, path = from_paths(args)
    else:
        tables, k, about, path = from_suite(args)
    try:
        result = per_class_table(tables, args.task, k, args.on_error)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if args.class_names:
        scores = tables[0][f'{args.task}_scores'].dropna()
        add_names(result, args.class_names, len(scores.iloc[0]))
    path = args.csv or path
    with atomic_path(path) as temporary:
        result.to_csv(temporary, index=False, float_format='%.4f')
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=160)
    ordered = result.sort_values('accuracy', kind='stable')
    about = f'{about}, {args.task} top-{k}, {len(tables)} seed(s), percent'
    console.print(show(ordered.head(args.top), f'{about}: the worst of {len(result)} classes'))
    console.print(show(ordered.tail(args.top)[::-1], f'{about}: the best'))
    print(f'wrote {path}')


if __name__ == '__main__':
    run_tool(main, add_arguments, __doc__)
