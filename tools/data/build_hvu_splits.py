"""Make the seen and unseen combinations of HVU (DEVIAS, supplement D.2).

    python tools/data/build_hvu_splits.py --train HVU_Train.csv --val HVU_Val.csv \\
        --categories HVU_Tags_Categories.csv --out data/hvu/annotations

reads HVU's own CSV files and keeps the videos with exactly one action and one scene, or reads
lists (--columns); writes train.csv, val_seen.csv, val_unseen.csv (`id action scene`), the
class names and a manifest.
"""
from pathlib import Path

from devias_mm.builders.puppets.files import write_bytes
from devias_mm.errors import UsageError
from devias_mm.files import write_json
from devias_mm.builders.cli import input_digest, make_parser, run_tool
from devias_mm.builders.hvu import (
    LIST_COLUMNS,
    class_lines,
    read_categories,
    read_clips,
    split_combinations,
    write_lines,
)
from devias_mm.builders.hvu_preview import draw_frequencies, draw_pairs


def parse_args():
    parser = make_parser(__doc__)
    parser.add_argument('--train', required=True, metavar='FILE')
    parser.add_argument('--val', required=True, metavar='FILE')
    parser.add_argument('--categories', metavar='FILE',
                        help='CSV with the columns Tag and Category; needed for files of tags')
    parser.add_argument('--columns', nargs='+', default=list(LIST_COLUMNS), metavar='COLUMN',
                        help='of lists, from the left; Puppets: filename label scene_label '
                        'background_label (default: filename label scene_label)')
    parser.add_argument('--videos', metavar='DIR',
                        help='leave out videos that are not in DIR as <id>.mp4')
    parser.add_argument('--preview', metavar='FILE.png',
                        help='also draw the most frequent seen and some unseen combinations, '
                        'frames of --videos; without --videos how often each pair occurs')
    parser.add_argument('--top-actions', type=int, default=400, metavar='N',
                        help='most frequent training actions that count (default: 400)')
    parser.add_argument('--top-scenes', type=int, default=20, metavar='N',
                        help='most frequent training scenes that count (default: 20)')
    parser.add_argument('--max-unseen', type=int, default=5, metavar='N',
                        help='training videos that an unseen combination may have (default: 5)')
    parser.add_argument('--num-seen', type=int, default=200, metavar='N',
                        help='videos of the seen split (default: 200)')
    parser.add_argument('--out', required=True, metavar='DIR')
    return parser.parse_args()


def video_files(folder):
    """The videos of a folder by the names that a list may have: bare, or with the path."""
    files = {}
    for file in sorted(Path(folder).rglob('*.mp4')):
        path = file.relative_to(folder)
        files.update({file.stem: file, path.as_posix(): file,
                      path.with_suffix('').as_posix(): file})
    return files


def main():
    args = parse_args()
    classes = read_categories(args.categories) if args.categories else {}
    train, val = (read_clips(file, classes, args.columns) for file in (args.train, args.val))
    there = video_files(args.videos) if args.videos else {}
    if args.videos:
        train, val = ([clip for clip in clips if clip.name in there] for clips in (train, val))
    if not train or not val:
        raise UsageError(f'{len(train)} training and {len(val)} validation videos have one action '
                         'and one scene (and are in --videos): nothing to split.')
    rules = dict(top_actions=args.top_actions, top_scenes=args.top_scenes,
                 max_unseen=args.max_unseen, num_seen=args.num_seen)
    splits = split_combinations(train, val, **rules)
    files = {'train.csv': write_lines(train), 'val_seen.csv': write_lines(splits.seen),
             'val_unseen.csv': write_lines(splits.unseen)}
    files.update({f'{category}_classes.txt': class_lines(tags)
                  for category, tags in classes.items()})
    out = Path(args.out)
    checksums = {name: write_bytes(out / name, text.encode()) for name, text in files.items()}
    write_json(out / 'hvu_splits.json', dict(
        rules, columns=args.columns, train=input_digest(args.train), val=input_digest(args.val),
        categories=input_digest(args.categories), train_videos=len(train),
        candidates=splits.candidates, seen=len(splits.seen), unseen=len(splits.unseen),
        files=checksums))
    lowest = splits.frequency.get(splits.seen[-1].pair, 0) if splits.seen else 0
    print(f'{out}: {len(train)} training videos with one action and one scene; '
          f'{splits.candidates} of {len(val)} validation videos have frequent ones: '
          f'{len(splits.seen)} seen (combinations with at least {lowest} training videos), '
          f'{len(splits.unseen)} unseen (at most {args.max_unseen}).')
    if args.preview:
        if args.videos:
            draw_pairs(args.preview, splits, there)
        else:
            draw_frequencies(args.preview, splits)
        print(f'contact sheet: {args.preview}')


if __name__ == '__main__':
    run_tool(main)
