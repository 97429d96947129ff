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
from collections import Counter
from pathlib import Path

from devias_mm.cli import run_tool
from devias_mm.errors import UsageError


def add_arguments(parser):
    parser.add_argument('list', type=Path, help='list file, a video a line')
    parser.add_argument('--percent', type=float, required=True,
                        help='in (0, 100]; below 100 with --hold-out')
    parser.add_argument('--seed', type=int, default=0, help='default: %(default)s')
    parser.add_argument('--hold-out', action='store_true',
                        help='draw this share of each class, and write the others too')
    parser.add_argument('--columns', nargs='+', default=['label'], metavar='NAME',
                        help='label columns after the file name, among label, scene_label, '
                        'background_label (default: label)')
    parser.add_argument('--out', type=Path, metavar='FILE',
                        help='not with --hold-out; default: <list>_<percent>pct_seed<seed>.txt')


def check(args):
    """Check the options.

    Raises:
        UsageError: one is out of range, or two do not go together.
    """
    if args.hold_out and args.out:
        raise UsageError('--out names one file, and --hold-out writes two: leave one of them out')
    if not 0 < args.percent <= 100 or (args.hold_out and args.percent == 100):
        raise UsageError('--percent must be in (0, 100], with --hold-out in (0, 100), got '
                         f'{args.percent:g}')
    if args.seed < 0:
        raise UsageError(f'--seed must be at least 0, got {args.seed}')
    if 'label' not in args.columns:
        raise UsageError(f'--columns {" ".join(args.columns)} lacks `label`, by which the '
                         'subset is balanced')


def draw_parts(labels, args):
    """Draw the parts of a list: name of each, and the indices of its videos."""
    from devias_mm.datasets.label_subset import balanced_subset, held_out
    fraction = args.percent / 100
    if not args.hold_out:
        chosen = balanced_subset(labels, fraction, args.seed)
        return {f'{args.percent:g}pct': chosen}
    chosen = held_out(labels, fraction, args.seed)
    others = sorted(set(range(len(labels))) - set(chosen))
    rest = 100 - args.percent
    return {f'held{args.percent:g}pct': chosen, f'rest{rest:g}pct': others}


def main(args):
    from devias_mm.datasets.lists import read_lines, read_list
    from devias_mm.files import write_text
    check(args)
    columns = ('filename', *args.columns)
    items = read_list(str(args.list), columns, allow_outside=True)
    lines = dict(read_lines(str(args.list)))
    labels = [item['label'] for item in items]
    for name, indices in draw_parts(labels, args).items():
        default = args.list.with_name(f'{args.list.stem}_{name}_seed{args.seed}.txt')
        out = args.out or default
        if out.resolve() == args.list.resolve():
            raise UsageError(f'--out {out} is the list itself: name another file')
        chosen = [items[index]['line'] for index in indices]
        checksum = write_text(out, ''.join(f'{lines[number]}\n' for number in chosen))
        counts = Counter(labels[index] for index in indices)
        sizes = counts.values()
        print(f'wrote {out}: {len(indices)} of {len(labels)} videos, {min(sizes)} to '
              f'{max(sizes)} in each of {len(counts)} classes, sha256 {checksum}')


if __name__ == '__main__':
    run_tool(main, add_arguments, __doc__)
