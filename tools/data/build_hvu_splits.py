"""Make the seen and unseen combinations of HVU (DEVIAS, supplement D.2).

    python tools/data/build_hvu_splits.py --train HVU_Train.csv --val HVU_Val.csv \\
        --categories HVU_Tags_Categories.csv --out data/hvu/annotations

reads HVU's own CSV files and keeps the videos with exactly one action and one scene, or reads
lists (--columns); writes train.csv, val_seen.csv, val_unseen.csv (`id action scene`), the
class names and a manifest.
"""
from devias_mm.builders.cli import input_digest
from devias_mm.cli import run_tool
from devias_mm.errors import UsageError

LIST_COLUMNS = ['filename', 'label', 'scene_label']


def add_arguments(parser):
    parser.add_argument('--train', required=True, metavar='FILE')
    parser.add_argument('--val', required=True, metavar='FILE')
    parser.add_argument('--categories', metavar='FILE',
                        help='CSV with the columns Tag and Category; needed for files of tags')
    parser.add_argument('--columns', nargs='+', default=LIST_COLUMNS, metavar='COLUMN',
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


def video_files(folder):
    """Return the videos of a folder by the names that a list may have: bare, or with the path."""
    from pathlib import Path
    if not Path(folder).is_dir():
        raise UsageError(f'--videos {folder} is no folder.')
    files = {}
    for file in sorted(Path(folder).rglob('*.mp4')):
        path = file.relative_to(folder)
        for name in (file.stem, path.as_posix(), path.with_suffix('').as_posix()):
            files[name] = file
    return files


def main(args):
    from devias_mm.builders import hvu
    from devias_mm.builders.hvu_preview import draw_frequencies, draw_pairs
    from devias_mm.builders.output_folder import FORMAT_VERSION, OutputFolder
    classes = hvu.read_categories(args.categories) if args.categories else {}
    train = hvu.read_clips(args.train, classes, args.columns)
    val = hvu.read_clips(args.val, classes, args.columns)
    there = video_files(args.videos) if args.videos else {}
    if args.videos:
        train = [clip for clip in train if clip.name in there]
        val = [clip for clip in val if clip.name in there]
    if not train or not val:
        raise UsageError(f'{len(train)} training and {len(val)} validation videos have one action '
                         'and one scene (and are in --videos): nothing to split.')
    rules = dict(top_actions=args.top_actions, top_scenes=args.top_scenes,
                 max_unseen=args.max_unseen, num_seen=args.num_seen)
    splits = hvu.split_combinations(train, val, **rules)
    build = OutputFolder(args.out, dict(rules, tool='build_hvu_splits',
                                        format_version=FORMAT_VERSION))
    build.write('train.csv', hvu.write_lines(train))
    build.write('val_seen.csv', hvu.write_lines(splits.seen))
    build.write('val_unseen.csv', hvu.write_lines(splits.unseen))
    for category, tags in classes.items():
        build.write(f'{category}_classes.txt', hvu.class_lines(tags))
    build.finish(
        columns=args.columns, train=input_digest(args.train), val=input_digest(args.val),
        categories=input_digest(args.categories), train_videos=len(train),
        candidates=splits.candidates, seen=len(splits.seen), unseen=len(splits.unseen))
    lowest = splits.frequency.get(splits.seen[-1].pair, 0) if splits.seen else 0
    print(f'{args.out}: {len(train)} training videos with one action and one scene; '
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
    run_tool(main, add_arguments, __doc__)
