"""Detect the humans in the videos of a list and keep their boxes (docs/human_boxes.md).

    python tools/data/detect_humans.py data/ucf101/annotations/ucf101_train_split_1_videos.txt \\
        --videos data/ucf101/videos --out data/ucf101/human_boxes

Start it again after an interruption, or with another list: videos that are known are left out.
"""
from devias_mm.builders.cli import check_at_least
from devias_mm.cli import run_tool
from devias_mm.errors import ListFileError, UsageError, shorten


def add_arguments(parser):
    parser.add_argument('list', help='list file of the videos')
    parser.add_argument('--videos', required=True, metavar='DIR',
                        help='folder of the videos that the list names')
    parser.add_argument('--out', required=True, metavar='DIR', help='folder of the boxes')
    parser.add_argument('--columns', nargs='+', default=['filename', 'label'],
                        help='fields of a line of the list (default: filename label)')
    parser.add_argument('--filename-suffix', default='', help='added to each listed name')
    parser.add_argument('--detector', default='hustvl/yolos-base',
                        help='name or folder of a model for AutoModelForObjectDetection '
                        '(default: %(default)s)')
    parser.add_argument('--label', default='person', help='class of humans (default: person)')
    parser.add_argument('--score', type=float, default=0.5,
                        help='keep boxes of at least this probability (default: %(default)s)')
    parser.add_argument('--every', type=int, default=1, metavar='N',
                        help='look at every Nth frame; the others take the boxes of the '
                        'nearest (default: 1)')
    parser.add_argument('--batch-size', type=int, default=8, help='frames at once (default: 8)')
    parser.add_argument('--shard', default='0/1', metavar='I/N',
                        help='the Ith of N parts of the list, for several processes')
    parser.add_argument('--save-every', type=int, default=50, metavar='N',
                        help='write a file after N videos (default: 50)')
    parser.add_argument('--device', help='where the detector runs (default: cuda where there is '
                        'one, else cpu)')


def parse_shard(text):
    """Return I and N of 'I/N'."""
    try:
        index, parts = (int(number) for number in text.split('/'))
    except ValueError:
        raise UsageError(f'--shard must be I/N, such as 0/4, got {text!r}.') from None
    if not 0 <= index < parts:
        raise UsageError(f'--shard I/N needs 0 <= I < N, got {text}.')
    return index, parts


def main(args):
    import torch

    from devias_mm.builders.human_detector import BoxWriter, HumanDetector, make_groups
    from devias_mm.builders.output_folder import FORMAT_VERSION, Job, OutputFolder
    from devias_mm.builders.videos import check_output_names
    from devias_mm.datasets.human_boxes import box_files, read_boxes
    from devias_mm.datasets.lists import read_list
    check_at_least(args, every=1, batch_size=1, save_every=1)
    if not 0 <= args.score <= 1:
        raise UsageError(f'--score must be in [0, 1], got {args.score}.')
    index, parts = parse_shard(args.shard)
    items = read_list(args.list, args.columns, filename_suffix=args.filename_suffix,
                      allow_no_action=True)
    check_output_names([item['video_id'] for item in items], args.list)
    device = args.device or ('cuda' if torch.cuda.is_available() else 'cpu')
    detector = HumanDetector(args.detector, args.label, args.score, device)
    part = f'{index}of{parts}'
    folder = OutputFolder(
        args.out, dict(tool='detect_humans', format_version=FORMAT_VERSION,
                       detector=args.detector, label=args.label, score=args.score,
                       every=args.every), part=f'-{part}' if parts > 1 else '')
    known = set(read_boxes(args.out).video_id) if box_files(folder.root) else set()
    new = [item for item in items[index::parts] if item['video_id'] not in known]
    groups = make_groups(folder.root, new, args.save_every, part)
    jobs = [Job(group.file, group) for group in groups]
    writer = BoxWriter(detector, args.videos, args.every, args.batch_size)
    folder.keep_earlier()
    reports = folder.run('boxes', jobs, writer)
    added = sum(len(report['videos']) for report in reports)
    humans = sum(report['humans'] for report in reports)
    print(f'{args.out}: {added} videos added, {humans} of them with humans; '
          f'{len(known)} were known before')
    for report in reports:
        folder.left_out.update(report['unreadable'])
    if folder.left_out:
        raise ListFileError(f'{len(folder.left_out)} video(s) of {args.list} cannot be read and '
                            f'have no boxes: {shorten(folder.left_out.values())}. Mend them or '
                            'take them out of the list.')
    folder.finish(videos=added + len(known))


if __name__ == '__main__':
    run_tool(main, add_arguments, __doc__)
