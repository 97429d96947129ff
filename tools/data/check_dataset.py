"""Verify a download before anything is trained on it.

    python tools/data/check_dataset.py configs/_base_/datasets/ucf101.py
    python tools/data/check_dataset.py configs/devias/<...>_kinetics400-rgb.py --splits 'hat-*' \\
        --data-root /data/k400 --sample 50 --workers 8 --json report.json

Looks at the training and the validation set (named `training` and `validation`) and at every test
split of a config: is the list well-formed, does it have the published number of videos and
classes, are all files there, do frames, masks and inpainted frames of HAT have the same
lengths, can sampled videos be decoded as the config decodes them, and do all lists mean the same
by a label? Exits with 1 where anything is wrong; one broken split never hides the others.
"""
import os.path as osp
from pathlib import Path

from devias_mm.cli import CONFIG_HELP, add_config_options, run_tool
from devias_mm.errors import UsageError


def add_arguments(parser):
    parser.add_argument('config', help=f'{CONFIG_HELP}; those of configs/_base_/datasets will do')
    parser.add_argument('--splits', nargs='+', metavar='NAME',
                        help="names or patterns such as 'hat-*'; default: all")
    parser.add_argument('--sample', type=int, default=20, metavar='N',
                        help='videos of each split to decode (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='of the choice of these')
    parser.add_argument('--workers', type=int, default=0, metavar='W',
                        help='processes that decode and threads that look for files '
                        '(default: %(default)s: this process)')
    parser.add_argument('--dataset', metavar='NAME',
                        help='whose published numbers count; default: the last part of the '
                        "config's data_root")
    parser.add_argument('--json', type=Path, metavar='FILE', help='also write the report, with '
                        'the complete lists of what is wrong')
    add_config_options(parser)


def print_report(console, reports, overall):
    """Print a table of all splits, then everything that is wrong."""
    from rich.table import Table
    table = Table('split', 'videos', 'published', 'classes', 'missing', 'wrong lengths',
                  'unreadable', 'verdict')
    for report in reports:
        table.add_row(*cells(report))
    console.print(table)
    for title, name in (('note', 'notes'), ('PROBLEM', 'problems')):
        for report in reports:
            for text in getattr(report, name):
                console.print(f'{title}: {report.split} ({report.ann_file}): {text}',
                              markup=False, highlight=False)
    for text in overall:
        console.print(f'PROBLEM: {text}', markup=False, highlight=False)


def cells(report):
    """Return the row of a split; ``-`` is what could not be looked at."""
    videos, found = '-', ['-'] * 3
    if report.videos is not None:
        videos = f'{report.videos:,}'
        found = [f'{len(report.missing):,}', f'{len(report.mismatches):,}',
                 f'{len(report.unreadable)} of {report.sampled}']
    published = 'unknown'
    if report.expected.videos is not None:
        published = ' or '.join(f'{count:,}' for count in report.expected.videos)
    verdict = '[green]ok[/]'
    if report.problems:
        verdict = f'[red]{len(report.problems)} problem(s)[/]'
    return [report.split, videos, published, str(report.classes or '-'), *found, verdict]


def dataset_name(args):
    """Return the name of the data set, by which published numbers are found."""
    from mmengine.config import Config

    from devias_mm.datasets.published_counts import EXPECTED
    if args.dataset is None:
        # from the config as shipped: the folder may be called anything
        shipped = Config.fromfile(args.config).get('data_root') or ''
        return osp.basename(osp.normpath(shipped))
    if args.dataset not in EXPECTED:
        raise UsageError(f'--dataset {args.dataset!r} is unknown; accepted: '
                         f'{", ".join(EXPECTED)}.')
    return args.dataset


def main(args):
    from mmengine.registry import init_default_scope
    from rich.console import Console
    from rich.progress import track

    import devias_mm.register  # noqa: F401  (registers what configs name)
    from devias_mm.datasets.check import Checker, split_configs
    from devias_mm.datasets.class_maps import compare_label_maps
    from devias_mm.engine.config import load_config
    from devias_mm.splits import choose_splits
    from devias_mm.files import write_json
    for name in ('sample', 'seed', 'workers'):
        if getattr(args, name) < 0:
            raise UsageError(f'--{name} {getattr(args, name)}: accepted is an integer >= 0')
    cfg = load_config(args)
    name = dataset_name(args)
    configs = split_configs(cfg)
    if not configs:
        raise UsageError(f'{args.config} has no train_dataloader, val_dataloader or '
                         'test_dataloader.')
    chosen = choose_splits(configs, args.splits)
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    checker = Checker(name, args.sample, args.seed, args.workers)
    reports = []
    for split in track([split for split in configs if split in chosen], 'checking',
                       console=Console(stderr=True)):
        reports.append(checker.check_split(split, configs[split]))
    overall = compare_label_maps({report.split: report.labels for report in reports})
    console = Console(soft_wrap=True)
    if not console.is_terminal:
        console = Console(soft_wrap=True, width=120)
    print_report(console, reports, overall)
    if args.json:
        write_json(args.json, dict(
            config=args.config, dataset=name, sample=args.sample, seed=args.seed,
            problems=overall, splits=[report.as_dict() for report in reports]))
        console.print(f'wrote {args.json}', markup=False, highlight=False)
    count = sum(len(report.problems) for report in reports) + len(overall)
    if count == 0:
        console.print(f'no problem in {len(reports)} splits', highlight=False)
        return 0
    console.print(f'{count} problem(s) in {len(reports)} splits', highlight=False)
    return 1


if __name__ == '__main__':
    run_tool(main, add_arguments, __doc__)
