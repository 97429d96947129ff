r"""Make the lists of Mini-Kinetics-200 from its published YouTube ids and lists of Kinetics-400.

    LISTS=data/kinetics400/annotations
    python tools/data/make_mini_kinetics.py --out data/mini-kinetics200/annotations \
        --train $LISTS/kinetics400_train_list_videos.txt train_ytid_list.txt \
        --val $LISTS/kinetics400_val_list_videos.txt val_ytid_list.txt

Writes train.csv and val.csv, `file label` a line, in the order of the lists of Kinetics-400. The
200 classes keep the order of their labels there and become 0 to 199. A file is known by its name,
`<id>.mp4` or `<id>_000012_000022.mp4`, and listed as `train/<file>` or `val/<file>`, so that
data/mini-kinetics200/videos can hold a link to each of the two folders of Kinetics-400. Ids whose
video is not in the list, because YouTube has it no more, are counted, and named in
missing_train.txt and missing_val.txt.
"""
import re
from pathlib import Path

from devias_mm.cli import run_tool
from devias_mm.errors import ListFileError, shorten

YOUTUBE_ID = re.compile(r'[\w-]{11}', re.ASCII)
#: Kinetics adds start and end of the clip in seconds
NAME = re.compile(r'([\w-]{11})(_\d{6}_\d{6})?', re.ASCII)
SPLITS = ('train', 'val')


def add_arguments(parser):
    for split in SPLITS:
        parser.add_argument(f'--{split}', nargs=2, required=True, type=Path,
                            metavar=('LIST', 'IDS'),
                            help=f'{split} list of Kinetics-400, `file label` a line, and the '
                            'published ids, one a line')
    parser.add_argument('--out', type=Path, required=True, metavar='FOLDER')
    parser.add_argument('--classes', type=int, default=200, metavar='N',
                        help='how many the ids have to come from (default: %(default)s)')


def read_ids(path):
    """Read the ids of a published list, without repetition, in its order."""
    from devias_mm.datasets.lists import read_lines
    ids = []
    for _, text in read_lines(str(path)):
        ids += text.split()
    wrong = [name for name in ids if not YOUTUBE_ID.fullmatch(name)]
    if wrong:
        raise ListFileError(f'{path}: {wrong[0]!r} is no YouTube id; expected one of 11 '
                            'characters a line')
    if not ids:
        raise ListFileError(f'{path}: no ids; expected one of 11 characters a line')
    return list(dict.fromkeys(ids))


def videos_by_id(path):
    """Return the videos of a list of Kinetics-400 by their YouTube id.

    Raises:
        ListFileError: two files of the list have the same id.
    """
    from devias_mm.datasets.lists import read_list
    videos = {}
    for item in read_list(str(path), ('filename', 'label')):
        found = NAME.fullmatch(Path(item['filename']).stem)
        if found is None:
            continue
        first = videos.setdefault(found[1], item)
        if first is not item:
            raise ListFileError(f'{path}: {first["filename"]} and {item["filename"]} are both the '
                                f'video {found[1]}: keep one of them')
    return videos


def choose(source, ids, classes):
    """Return the listed videos of some ids, and the ids that are not listed.

    Raises:
        ListFileError: they come from another number of classes.
    """
    wanted = read_ids(ids)
    videos = videos_by_id(source)
    missing = [name for name in wanted if name not in videos]
    keep = set(wanted)
    items = [item for name, item in videos.items() if name in keep]
    found = len(labels_of(items))
    if found != classes:
        raise ListFileError(
            f'{len(wanted) - len(missing)} of the {len(wanted)} ids of {ids} are in {source}, '
            f'with {found} classes instead of {classes}. Do both belong to the same split, and do '
            'the files have their YouTube names, `<id>.mp4` or `<id>_000012_000022.mp4`?')
    return items, missing


def labels_of(items):
    """Return the labels that occur in a list of Kinetics-400."""
    return {item['label'] for item in items}


def number_classes(train, val):
    """Return the new label of each label of Kinetics-400, in their order.

    Raises:
        ListFileError: the two splits have different classes.
    """
    labels = labels_of(train)
    odd = sorted(labels ^ labels_of(val))
    if odd:
        raise ListFileError(f'train and val have other classes: label(s) {shorten(odd, 10)} of '
                            'Kinetics-400 are in one of them only')
    new = {}
    for label in sorted(labels):
        new[label] = len(new)
    return new


def main(args):
    from devias_mm.files import write_text
    chosen = {}
    for split in SPLITS:
        source, ids = getattr(args, split)
        chosen[split] = choose(source, ids, args.classes)
    train_items, _ = chosen['train']
    val_items, _ = chosen['val']
    new = number_classes(train_items, val_items)
    for split, (items, missing) in chosen.items():
        source, _ = getattr(args, split)
        lines = []
        for item in items:
            label = new[item['label']]
            lines.append(f"{split}/{item['filename']} {label}\n")
        out = args.out / f'{split}.csv'
        checksum = write_text(out, ''.join(lines))
        lost = args.out / f'missing_{split}.txt'
        write_text(lost, ''.join(f'{name}\n' for name in missing))
        print(f'wrote {out}: {len(items)} videos of {len(new)} classes, sha256 {checksum}; '
              f'{len(missing)} ids are not in {source}: {lost}')


if __name__ == '__main__':
    run_tool(main, add_arguments, __doc__)
