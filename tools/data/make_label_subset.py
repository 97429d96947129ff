r"""Draw a class-balanced part of a training list: 1 %, 10 % of the labels.

    python tools/data/make_label_subset.py --percent 10 --seed 0 \
        data/kinetics400/annotations/kinetics400_train_list_videos.txt

Writes <list>_10pct_seed0.txt beside it, with the lines as they are and in their order, and
prints its checksum. The same list, percentage and seed give the same file; 1 % of a seed is a part
of its 10 %.
"""
import argparse
import sys
from collections import Counter
from pathlib import Path

from devias_mm.datasets.label_subset import balanced_subset
from devias_mm.datasets.lists import LABEL_COLUMNS, ListFileError, read_list
from devias_mm.engine.launch import UsageError
from devias_mm.files import file_sha256, write_text


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('list', type=Path, help='list file, a video a line')
    parser.add_argument('--percent', type=float, required=True, help='in (0, 100]')
    parser.add_argument('--seed', type=int, default=0, help='default: %(default)s')
    parser.add_argument('--columns', nargs='+', default=['label'], choices=LABEL_COLUMNS,
                        metavar='NAME', help='label columns after the file name, among '
                        f'{", ".join(LABEL_COLUMNS)} (default: label)')
    parser.add_argument('--out', type=Path, metavar='FILE',
                        help='default: <list>_<percent>pct_seed<seed>.txt')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    if not 0 < args.percent <= 100:
        raise UsageError(f'--percent must lie in (0, 100], got {args.percent:g}')
    if args.seed < 0:
        raise UsageError(f'--seed must be at least 0, got {args.seed}')
    if 'label' not in args.columns:
        raise UsageError(f'--columns {" ".join(args.columns)} lacks `label`, by which the '
                         'subset is balanced')
    items = read_list(str(args.list), ('filename', *args.columns))
    chosen = balanced_subset([item['label'] for item in items], args.percent / 100, args.seed)
    with open(args.list, encoding='utf-8') as file:
        lines = [line.strip() for line in file if line.strip()]
    out = args.out or args.list.with_name(
        f'{args.list.stem}_{args.percent:g}pct_seed{args.seed}.txt')
    if out.resolve() == args.list.resolve():
        raise UsageError(f'--out {out} is the list itself: name another file')
    write_text(out, '\n'.join(lines[i] for i in chosen) + '\n')
    counts = Counter(items[i]['label'] for i in chosen)
    print(f'wrote {out}: {len(chosen)} of {len(items)} videos, {min(counts.values())} to '
          f'{max(counts.values())} in each of {len(counts)} classes, sha256 {file_sha256(out)}')


if __name__ == '__main__':
    try:
        main()
    except (ListFileError, UsageError) as error:
        sys.exit(f'error: {error}')
