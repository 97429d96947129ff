r"""Draw a part of a training list: 1 %, 10 % of the labels, or a validation set.

    python tools/data/make_label_subset.py --percent 10 --seed 0 \
        data/kinetics400/annotations/kinetics400_train_list_videos.txt
    python tools/data/make_label_subset.py --percent 10 --hold-out \
        data/hmdb51/annotations/train1.csv

The first writes <list>_10pct_seed0.txt beside the list, with the same number of videos of each
class; 1 % of a seed is a part of its 10 %. The second writes a tenth of each class into
<list>_held10pct_seed0.txt, to be validated on, and all other videos into
<list>_rest90pct_seed0.txt, to be trained on. The lines are as they are and in their order, and
checksums are printed: the same list, percentage and seed give the same files.
"""
import argparse
import sys
from collections import Counter
from pathlib import Path

from devias_mm.datasets.label_subset import balanced_subset, held_out
from devias_mm.datasets.lists import LABEL_COLUMNS, read_list
from devias_mm.errors import UsageError
from devias_mm.files import file_sha256, write_text


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('list', type=Path, help='list file, a video a line')
    parser.add_argument('--percent', type=float, required=True,
                        help='in (0, 100]; below 100 with --hold-out')
    parser.add_argument('--seed', type=int, default=0, help='default: %(default)s')
    parser.add_argument('--hold-out', action='store_true',
                        help='draw this share of each class, and write the others too')
    parser.add_argument('--columns', nargs='+', default=['label'], choices=LABEL_COLUMNS,
                        metavar='NAME', help='label columns after the file name, among '
                        f'{", ".join(LABEL_COLUMNS)} (default: label)')
    parser.add_argument('--out', type=Path, metavar='FILE',
                        help='not with --hold-out; default: <list>_<percent>pct_seed<seed>.txt')
    args = parser.parse_args()
    if args.hold_out and args.out:
        parser.error('--out names one file, and --hold-out writes two: leave one of them out')
    return args


def main() -> None:
    args = parse_args()
    if not 0 < args.percent <= 100 or args.hold_out and args.percent == 100:
        raise UsageError('--percent must lie in (0, 100], with --hold-out in (0, 100), got '
                         f'{args.percent:g}')
    if args.seed < 0:
        raise UsageError(f'--seed must be at least 0, got {args.seed}')
    if 'label' not in args.columns:
        raise UsageError(f'--columns {" ".join(args.columns)} lacks `label`, by which the '
                         'subset is balanced')
    labels = [item['label'] for item in read_list(str(args.list), ('filename', *args.columns))]
    draw = held_out if args.hold_out else balanced_subset
    chosen = draw(labels, args.percent / 100, args.seed)
    with open(args.list, encoding='utf-8') as file:
        lines = [line.strip() for line in file if line.strip()]
    parts = {f'{"held" if args.hold_out else ""}{args.percent:g}pct': chosen}
    if args.hold_out:
        parts[f'rest{100 - args.percent:g}pct'] = sorted({*range(len(lines))} - {*chosen})
    for name, indices in parts.items():
        out = args.out or args.list.with_name(f'{args.list.stem}_{name}_seed{args.seed}.txt')
        if out.resolve() == args.list.resolve():
            raise UsageError(f'--out {out} is the list itself: name another file')
        write_text(out, '\n'.join(lines[i] for i in indices) + '\n')
        counts = Counter(labels[i] for i in indices)
        print(f'wrote {out}: {len(indices)} of {len(labels)} videos, {min(counts.values())} to '
              f'{max(counts.values())} in each of {len(counts)} classes, sha256 '
              f'{file_sha256(out)}')


if __name__ == '__main__':
    try:
        main()
    except ValueError as error:
        sys.exit(f'error: {error}')
