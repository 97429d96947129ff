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
import argparse
import os.path as osp
import sys
from pathlib import Path
from typing import Dict, List

from mmengine.config import Config
from mmengine.registry import init_default_scope
from rich.console import Console
from rich.progress import track
from rich.table import Table

import devias_mm.register  # noqa: F401  (registers what configs name)
from devias_mm.datasets.check import Checker, SplitReport, split_configs
from devias_mm.datasets.class_maps import compare_label_maps
from devias_mm.datasets.published_counts import EXPECTED
from devias_mm.engine.launch import KeyValueAction, choose_splits, load_config
from devias_mm.errors import UsageError
from devias_mm.files import write_json


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file; those of configs/_base_/datasets will do')
    parser.add_argument('--splits', nargs='+', metavar='NAME',
                        help="names or patterns such as 'hat-*'; default: all")
    parser.add_argument('--sample', type=int, default=20, metavar='N',
                        help='videos of each split to decode (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='of the choice of these')
    parser.add_argument('--workers', type=int, default=0, metavar='W',
                        help='processes that decode and threads that look for files '
                        '(default: %(default)s: this process)')
    parser.add_argument('--dataset', metavar='NAME',
                        help=f'whose published numbers hold, of {", ".join(EXPECTED)}; default: '
                        "the last part of the config's data_root")
    parser.add_argument('--json', type=Path, metavar='FILE', help='also write the report, with '
                        'the complete lists of what is wrong')
    parser.add_argument('--data-root', help='replaces `data_root` of every dataset')
    parser.add_argument('--cfg-options', nargs='+', action=KeyValueAction, metavar='KEY=VALUE',
                        help='overrides of the config')
    parser.set_defaults(launcher='none', work_dir=None)
    args = parser.parse_args()
    for name in ('sample', 'seed', 'workers'):
        if getattr(args, name) < 0:
            parser.error(f'--{name} {getattr(args, name)}: accepted is an integer >= 0')
    return args


def selected(configs: Dict[str, dict], patterns: List[str]) -> Dict[str, dict]:
    """The splits that the patterns name, in the order of the config."""
    chosen = choose_splits(configs, patterns)
    return {name: config for name, config in configs.items() if name in chosen}


def print_report(console: Console, reports: List[SplitReport], overall: List[str]) -> None:
    """A table of all splits, then everything that is wrong."""
    table = Table('split', 'videos', 'published', 'classes', 'missing', 'wrong lengths',
                  'unreadable', 'verdict')
    for report in reports:
        counts = report.expected.videos
        table.add_row(
            report.split, '-' if report.videos is None else f'{report.videos:,}',
            'unknown' if counts is None else ' or '.join(f'{count:,}' for count in counts),
            str(report.classes or '-'), *('-' if report.videos is None else text for text in (
                f'{len(report.missing):,}', f'{len(report.mismatches):,}',
                f'{len(report.unreadable)} of {report.sampled}')),
            f'[red]{len(report.problems)} problem(s)[/]' if report.problems else '[green]ok[/]')
    console.print(table)
    for title, name in (('note', 'notes'), ('PROBLEM', 'problems')):
        for report in reports:
            for text in getattr(report, name):
                console.print(f'{title}: {report.split} ({report.ann_file}): {text}',
                              markup=False, highlight=False)
    for text in overall:
        console.print(f'PROBLEM: {text}', markup=False, highlight=False)


def main() -> int:
    args = parse_args()
    cfg = load_config(args)
    # by its name in the config as shipped: the folder may be called anything
    shipped = Config.fromfile(args.config).get('data_root') or ''
    name = args.dataset or osp.basename(osp.normpath(shipped))
    if args.dataset and args.dataset not in EXPECTED:
        raise UsageError(f'--dataset {name!r} is unknown; accepted: {", ".join(EXPECTED)}.')
    configs = selected(split_configs(cfg), args.splits)
    if not configs:
        raise UsageError(f'{args.config} has no train_dataloader, val_dataloader or '
                         'test_dataloader.')
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    checker = Checker(name, args.sample, args.seed, args.workers)
    reports = [checker.check_split(split, config) for split, config in track(
        configs.items(), 'checking', len(configs), console=Console(stderr=True))]
    overall = compare_label_maps({report.split: report.labels for report in reports})
    console = Console(soft_wrap=True)
    if not console.is_terminal:
        console = Console(soft_wrap=True, width=120)
    print_report(console, reports, overall)
    count = sum(len(report.problems) for report in reports) + len(overall)
    if args.json:
        write_json(args.json, dict(
            config=args.config, dataset=name, sample=args.sample, seed=args.seed,
            problems=overall, splits=[report.as_dict() for report in reports]))
        console.print(f'wrote {args.json}', markup=False, highlight=False)
    console.print(f'{count} problem(s) in {len(reports)} splits' if count else
                  f'no problem in {len(reports)} splits', highlight=False)
    return int(count > 0)


if __name__ == '__main__':
    try:
        sys.exit(main())
    except (FileNotFoundError, UsageError) as error:
        sys.exit(f'error: {error}')
