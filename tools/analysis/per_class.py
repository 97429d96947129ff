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
import argparse
import sys
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from devias_mm.datasets.hat.layout import read_class_names
from devias_mm.evaluation.hits import TASKS
from devias_mm.evaluation.per_class import per_class_table
from devias_mm.files import atomic_path
from devias_mm.harness.plan import plan_jobs
from devias_mm.harness.suite import load_suite
from devias_mm.store.predictions import ON_ERROR, read_predictions

ROOT = Path(__file__).resolve().parents[2]


def parse_args(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
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
    parser.add_argument('--gpus', type=int, default=1, metavar='N',
                        help='GPUs that the runs were made with; 0: CPU (default: %(default)s)')
    parser.add_argument('--csv', type=Path, metavar='FILE',
                        help='default: <out>/<suite>/per_class/<method>_<split>_<task>.csv')
    args = parser.parse_args(argv)
    if args.top_k is not None and args.top_k < 1:
        parser.error(f'--top-k {args.top_k}: accepted is an integer >= 1')
    if args.top < 1:
        parser.error(f'--top {args.top}: accepted is an integer >= 1')
    return args


def read_work_dir(folder: Path, split: str) -> pd.DataFrame:
    """The predictions of a work dir on a split, or on all draws of a set such as ``hat-far``."""
    root = folder / 'predictions' if (folder / 'predictions').is_dir() else folder
    files = {path.relative_to(root).with_suffix('').as_posix(): path
             for path in sorted(root.rglob('*.parquet'))}
    chosen = [name for name in files if name == split or name.startswith(f'{split}/')]
    if not chosen:
        raise ValueError(f'{folder} has no predictions of --split {split}; it has '
                         f'{", ".join(files) or "none"}')
    return read_tables({name: files[name] for name in chosen})


def from_suite(args: argparse.Namespace):
    """Tables of the finished runs, k, a title, and where the CSV goes."""
    if len(args.suite) > 1 or not (args.method and args.split):
        raise ValueError('give one suite with --method and --split, or work dirs with --split, or '
                         'prediction tables (FILE.parquet)')
    suite = load_suite(args.suite[0], ROOT)
    args.suite = args.suite[0]
    jobs = finished_jobs(args, suite)
    tables = [read_tables({split: job.predictions(split)
                           for split in suite.protocol.splits_of((args.split, ))}) for job in jobs]
    k = suite.protocol.topk.get(args.task, 1)
    stem = '_'.join(filter(None, (args.method, args.variant, args.split.replace('/', '-'),
                                  args.task)))
    return (tables, args.top_k or k, f'{args.method} on {args.split}',
            args.out / suite.name / 'per_class' / f'{stem}.csv')


def from_paths(args: argparse.Namespace):
    """The same of work dirs, or of prediction tables."""
    paths = [Path(path) for path in args.suite]
    if all(path.is_dir() for path in paths):
        if not args.split:
            raise ValueError('give the --split of the work dir')
        tables = [read_work_dir(path, args.split) for path in paths]
        stem, folder = args.split.replace('/', '-'), paths[0] / 'per_class'
        title = f'{paths[0].name} on {args.split}'
    else:
        tables = [read_predictions(path) for path in paths]
        stem, folder = paths[0].stem, paths[0].parent / 'per_class'
        title = str(paths[0])
    if any(table[f'{args.task}_scores'].isna().all() for table in tables):
        raise ValueError(f'{args.suite[0]}: there are no predictions of the {args.task}')
    return tables, args.top_k or 1, title, folder / f'{stem}_{args.task}.csv'


def finished_jobs(args: argparse.Namespace, suite) -> list:
    """The finished runs that the arguments select, one a seed."""
    known = suite.protocol.tested((*suite.splits, *suite.protocol.sets))
    if args.split not in known:
        raise ValueError(f'unknown split {args.split!r}: use one of {", ".join(known)}')
    if args.variant not in (suite.variants or ('', )):
        raise ValueError(f'--variant {args.variant!r} is not one of the suite\'s: '
                         f'{", ".join(suite.variants) or "it has none"}')
    jobs = plan_jobs(suite, ROOT, args.out.absolute(), [args.method], args.seeds,
                     processes=max(args.gpus, 1))
    if args.task not in suite.methods[args.method].predicts:
        raise ValueError(f'{args.method!r} does not predict the {args.task}')
    jobs = [job for job in jobs if job.variant == args.variant]
    done = [job for job in jobs if job.tested]
    if not done:
        raise ValueError(f'{args.method!r} has no finished run; looked for e.g. '
                         f'{jobs[0].work_dir}; make it with:\n    python tools/benchmark.py run '
                         f'{args.suite} --methods {args.method}')
    missing = [str(job.seed) for job in jobs if job not in done]
    if missing:
        print(f'no finished run yet of seed(s) {", ".join(missing)}: they are left out',
              file=sys.stderr)
    return done


def read_tables(files: dict) -> pd.DataFrame:
    """The predictions on a split, or on the draws of a set together: file of each."""
    # the draws of a set share their videos
    return pd.concat([
        table.assign(video_id=f'{split}/' + table['video_id'])
        for split, table in ((split, read_predictions(path)) for split, path in files.items())
    ], ignore_index=True)


def show(table: pd.DataFrame, title: str) -> Table:
    """Some rows for people."""
    shown = Table(title=title, title_justify='left')
    for column in table:
        shown.add_column(column, justify='left' if table[column].dtype == object else 'right')
    for row in table.itertuples(index=False):
        shown.add_row(*('-' if pd.isna(cell) else f'{cell:.1f}' if isinstance(cell, float)
                        else str(cell) for cell in row))
    return shown


def main(argv=None) -> int:
    args = parse_args(argv)
    try:
        stored = all(path.endswith('.parquet') or Path(path).is_dir() for path in args.suite)
        tables, k, about, path = (from_paths if stored else from_suite)(args)
        result = per_class_table(tables, args.task, k, args.on_error)
        if args.class_names:
            scores = tables[0][f'{args.task}_scores'].dropna()
            names = read_class_names(str(args.class_names), len(scores.iloc[0]))
            titles = {index: name for name, index in names.items()}
            result.insert(1, 'name', result['class'].map(titles).fillna(''))
            result.insert(result.columns.get_loc('confused_with') + 1, 'confused_name',
                          result['confused_with'].map(titles).fillna(''))
    except (ValueError, FileNotFoundError) as error:
        print(f'error: {error}', file=sys.stderr)
        return 2
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
    return 0


if __name__ == '__main__':
    sys.exit(main())
